import { randomBytes } from 'node:crypto'

const senderHeader = 'taskledger-sender'
const numberHeader = 'taskledger-number'

/** How many senders are remembered: more than a cluster has nodes. */
const maxSenders = 1_000

/** The headers of a message of notices. */
export type SequenceHeaders = Readonly<Record<string, unknown>>

/**
 * Numbers the messages of each sender, so that listeners notice a missing one: the broker silently drops the oldest messages of a
 * client that does not keep up.
 */
export class NoticeSequence {
  readonly #self = randomBytes(8).toString('hex')
  #count = 0
  /** The last number received from each sender. The sender that was silent for longest comes first. */
  readonly #lastNumbers = new Map<string, number>()

  /** How many messages this client has published. */
  get count(): number {
    return this.#count
  }

  /** The number of the last message of its own that this client has received. */
  get lastOwnNumber(): number {
    return this.#lastNumbers.get(this.#self) ?? 0
  }

  /** The headers of the next message. */
  next(): SequenceHeaders {
    return { [senderHeader]: this.#self, [numberHeader]: ++this.#count }
  }

  /** Whether messages of the same sender are missing before this one. */
  isMissingBefore(headers: SequenceHeaders | undefined): boolean {
    const { [senderHeader]: sender, [numberHeader]: number } = headers ?? {}
    if (typeof sender !== 'string' || typeof number !== 'number') return false
    const last = this.#lastNumbers.get(sender)
    this.#lastNumbers.delete(sender)
    // A message that the broker refused at first may come after later ones.
    this.#lastNumbers.set(sender, Math.max(number, last ?? number))
    const [silent] = this.#lastNumbers.size > maxSenders ? this.#lastNumbers.keys() : []
    if (silent !== undefined) this.#lastNumbers.delete(silent)
    return last !== undefined && number > last + 1
  }

  /** Forgets the numbers received so far: the reconnection announces a gap anyway. */
  reset(): void {
    this.#lastNumbers.clear()
  }
}
