/**
 * First in, first out. An array's own `shift` moves everything that is left, which a backlog of 100,000 messages would
 * pay for each time.
 */
export class Fifo<Item> {
  /** What is taken next, the first of all at the end. */
  #front: Item[] = []
  /** What came since `front` was made, the last of all at the end. */
  #back: Item[] = []

  get size(): number {
    return this.#front.length + this.#back.length
  }

  add(item: Item): void {
    this.#back.push(item)
  }

  /** Puts the item before all others. */
  addFirst(item: Item): void {
    this.#front.push(item)
  }

  take(): Item | undefined {
    if (this.#front.length === 0) {
      this.#front = this.#back.reverse()
      this.#back = []
    }
    return this.#front.pop()
  }
}
