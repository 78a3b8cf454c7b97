/** First in, first out. `shift` of an array would move all remaining items, which is expensive with a backlog of 100,000 messages. */
export class Fifo<Item> {
  /** The items that are taken next, in reverse: the first item is at the end. */
  #front: Item[] = []
  /** The items that were added since `front` was filled, the last one at the end. */
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
