/** The maximum of unconfirmed bytes, in messages of the maximum size: it bounds the memory. */
const maxLargestMessages = 2

/** The messages that were sent and not yet confirmed: how many, and how large together. */
export class Unconfirmed {
  readonly #maxCount: number
  readonly #maxBytes: number
  #count = 0
  #bytes = 0

  constructor({ maxUnconfirmed, maxMessageBytes }: { readonly maxUnconfirmed: number; readonly maxMessageBytes: number }) {
    this.#maxCount = maxUnconfirmed
    this.#maxBytes = maxLargestMessages * maxMessageBytes
  }

  /** Whether one more message may be sent. A message alone always may. */
  hasRoomFor(bytes: number): boolean {
    return this.#count < this.#maxCount && (this.#count === 0 || this.#bytes + bytes <= this.#maxBytes)
  }

  add(bytes: number): void {
    this.#count++
    this.#bytes += bytes
  }

  remove(bytes: number): void {
    this.#count--
    this.#bytes -= bytes
  }
}
