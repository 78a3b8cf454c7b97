import { randomBytes } from 'node:crypto'

const senderHeader = 'taskledger-sender'
const numberHeader = 'taskledger-number'

/** So many senders are remembered: more than a cluster has nodes. */
const mostSenders = 1_000

/** What stands at the head of a message of notices. */
export type SequenceHeaders = Readonly<Record<string, unknown>>

/**
 * Numbers the messages of each sender, so that whoever hears them knows when one is missing: the broker drops the oldest of a
 * client that does not keep up, and tells nobody.
 */
export class NoticeSequence {
  readonly #self = randomBytes(8).toString('hex')
  #count = 0
  /** The last number heard of each sender. The one that was silent for longest stands first. */
  readonly #heard = new Map<string, number>()

  /** How many messages this client has published. */
  get count(): number {
    return this.#count
  }

  /** The last message of its own that this client has heard. */
  get heardOfSelf(): number {
    return this.#heard.get(this.#self) ?? 0
  }

  /** The headers of the next message. */
  next(): SequenceHeaders {
    return { [senderHeader]: this.#self, [numberHeader]: ++this.#count }
  }

  /** Whether messages of its sender are missing before this one. */
  isMissingBefore(headers: SequenceHeaders | undefined): boolean {
    const { [senderHeader]: sender, [numberHeader]: number } = headers ?? {}
    if (typeof sender !== 'string' || typeof number !== 'number') return false
    const last = this.#heard.get(sender)
    this.#heard.delete(sender)
    this.#heard.set(sender, number)
    const [silent] = this.#heard.size > mostSenders ? this.#heard.keys() : []
    if (silent !== undefined) this.#heard.delete(silent)
    return last !== undefined && number > last + 1
  }

  /** What is missing from now on is told of as a gap anyway. */
  startAfresh(): void {
    this.#heard.clear()
  }
}
