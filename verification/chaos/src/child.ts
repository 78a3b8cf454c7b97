import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { endWithThisProcess } from '@taskledger/servers'
import type { Ended } from './evidence.ts'
import type { Answer, Orders, Word } from './program/messages.ts'

const program = fileURLToPath(new URL('program/main.ts', import.meta.url))

/** How long a process may take to begin, in milliseconds: an outage may be under way. */
const beginMs = 120_000

/** A process of the run, as its parent sees it. It ends with the parent, even where it stands still. */
export class Child {
  readonly name: string
  /** What it said last of what it waits for. */
  busy: { readonly waitsFor: number; readonly followed: number } = { waitsFor: 1, followed: 0 }
  /** How many tasks it was told to follow. */
  told = 0
  isReady = false
  readonly #child: ChildProcess
  readonly #ended = Promise.withResolvers<Ended>()
  readonly #onAcknowledged: (taskId: string) => void
  #expected: 'killed' | 'closed' | undefined
  #failure: string | undefined
  #isGone = false

  constructor(orders: Orders, onAcknowledged: (taskId: string) => void) {
    this.name = orders.process
    this.#onAcknowledged = onAcknowledged
    const log = openSync(join(orders.settings.folder, `${this.name}.log`), 'a')
    // In a group of its own: what the terminal sends to all reaches the parent, which decides.
    this.#child = fork(program, { execArgv: [], stdio: ['ignore', log, log, 'ipc'], detached: true })
    closeSync(log)
    const guard = endWithThisProcess(this.#child.pid ?? 0)
    const tooLong = setTimeout(() => {
      this.#failure = `it did not begin within ${beginMs / 1000} s`
      this.#child.kill('SIGKILL')
    }, beginMs)
    this.#child.on('message', (answer: Answer) => {
      if (answer.type === 'ready') {
        clearTimeout(tooLong)
        this.isReady = true
      }
      this.#hear(answer)
    })
    this.#child.once('exit', (code, signal) => {
      clearTimeout(tooLong)
      guard.release()
      this.#end(code, signal)
    })
    this.#child.send(orders, () => {})
  }

  /** Resolves once it is gone, with how that came about. */
  get ended(): Promise<Ended> {
    return this.#ended.promise
  }

  get isGone(): boolean {
    return this.#isGone
  }

  /** Whether it waits for nothing any more, and has heard all that it was told. */
  get isIdle(): boolean {
    return this.busy.waitsFor === 0 && this.busy.followed === this.told
  }

  tell(word: Word): void {
    if (word.type === 'follow') this.told++
    this.#child.send(word, () => {})
  }

  kill(): void {
    this.#expected = 'killed'
    this.#child.kill('SIGKILL')
  }

  stop(): void {
    this.#expected ??= 'closed'
    this.#child.kill('SIGTERM')
  }

  freeze(): void {
    this.#child.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child.kill('SIGCONT')
  }

  #hear(answer: Answer): void {
    if (answer.type === 'acknowledged') this.#onAcknowledged(answer.taskId)
    else if (answer.type === 'busy') this.busy = answer
    else if (answer.type === 'neverBegan') this.#failure = answer.why
  }

  #end(code: number | null, signal: NodeJS.Signals | null): void {
    this.#isGone = true
    const isAsExpected = this.#expected === 'killed' || (this.#expected === 'closed' && (code === 0 || !this.isReady))
    const why = isAsExpected && this.#expected !== undefined ? this.#expected : this.isReady ? 'crashed' : 'neverBegan'
    const note = this.#failure ?? (signal === null ? `exit code ${code}` : signal)
    this.#ended.resolve({ type: 'ended', process: this.name, at: Date.now(), why, note })
  }
}
