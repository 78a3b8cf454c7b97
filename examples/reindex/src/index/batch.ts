import type { Place } from '../mail/mailbox.ts'
import type { Reindexed, ReindexProgress } from '../reindex-task.ts'
import type { KnownMessage, MailIndex, NewMessage, Pass } from './mail-index.ts'

type Counts = Omit<Reindexed, 'removed'>

const maxMessages = 100
const maxCharacters = 1_000_000
const maxMs = 200

/** How many problems are reported; the others are only counted. */
const maxProblems = 10

/**
 * Collects messages, and writes them together: a transaction for each message would cost more than everything else. Progress is reported
 * once its messages are written.
 */
export class Batch {
  readonly #index: MailIndex
  readonly #pass: Pass
  readonly #report: (progress: ReindexProgress) => void
  readonly #added = new Map<string, NewMessage>()
  readonly #known: KnownMessage[] = []
  #counts: Counts
  #at: Place | undefined
  #characters = 0
  #committedAt = performance.now()

  constructor(index: MailIndex, pass: Pass, start: ReindexProgress | undefined, report: (progress: ReindexProgress) => void) {
    this.#index = index
    this.#pass = pass
    this.#report = report
    const { done, indexed, known, broken, problems } = start ?? { done: 0, indexed: 0, known: 0, broken: 0, problems: [] }
    this.#counts = { done, indexed, known, broken, problems: [...problems] }
  }

  /** The counts of all attempts so far. */
  get counts(): Counts {
    return this.#counts
  }

  has(key: string): boolean {
    return this.#added.has(key) || this.#index.has(this.#pass, key)
  }

  add(message: NewMessage): void {
    this.#added.set(message.key, message)
    this.#characters += message.mail.text.length
    this.#count('indexed')
    if (message.mail.defects.length > 0) this.report(message.place, message.mail.defects)
  }

  keep(message: KnownMessage): void {
    this.#known.push(message)
    this.#count('known')
  }

  /** Counts a message without anything to index. */
  pass(): void {
    this.#count()
  }

  report(where: string, defects: readonly string[]): void {
    const { broken, problems } = this.#counts
    const problem = { where: where.slice(0, 100), why: defects.join('; ').slice(0, 200) }
    this.#counts = { ...this.#counts, broken: broken + 1, problems: broken < maxProblems ? [...problems, problem] : problems }
  }

  /** Notes the position of the reader. */
  reach(place: Place): void {
    this.#at = place
    const messages = this.#added.size + this.#known.length
    if (messages >= maxMessages || this.#characters >= maxCharacters || performance.now() - this.#committedAt >= maxMs) this.commit()
  }

  commit(): void {
    this.#index.write(this.#pass, [...this.#added.values()], this.#known)
    this.#added.clear()
    this.#known.length = 0
    this.#characters = 0
    this.#committedAt = performance.now()
    if (this.#at !== undefined) this.#report({ ...this.#counts, at: this.#at, pass: this.#pass.pass })
  }

  #count(what?: 'indexed' | 'known'): void {
    this.#counts = { ...this.#counts, done: this.#counts.done + 1, ...(what === undefined ? {} : { [what]: this.#counts[what] + 1 }) }
  }
}
