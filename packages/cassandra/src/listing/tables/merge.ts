/** A part of something sorted. */
export interface SortedPage<Item> {
  readonly items: readonly Item[]
  /** Whether there may be more after the last item. */
  readonly more: boolean
}

/** Reads what comes after an item, or from the beginning. */
export type SortedSource<Item> = (after: Item | undefined) => Promise<SortedPage<Item>>

/**
 * Walks several sorted sources as one. All begin at once; afterwards a source is asked for more only when the walk has come to the end
 * of what it gave, so that nobody pays for pages that nobody wants.
 */
export const mergeSorted = async function* <Item>(
  sources: readonly SortedSource<Item>[],
  compare: (a: Item, b: Item) => number,
): AsyncGenerator<Item, void, undefined> {
  const heads = sources.map((source) => new Head(source))
  for (;;) {
    const emptied = heads.filter((head) => head.isEmpty && head.more)
    if (emptied.length > 0) await Promise.all(emptied.map((head) => head.fill()))
    let first: Head<Item> | undefined
    let item: Item | undefined
    for (const head of heads) {
      const candidate = head.item
      if (candidate !== undefined && (item === undefined || compare(candidate, item) < 0)) [first, item] = [head, candidate]
    }
    if (first === undefined || item === undefined) return
    first.step()
    yield item
  }
}

class Head<Item> {
  more = true
  readonly #source: SortedSource<Item>
  #items: readonly Item[] = []
  #at = 0

  constructor(source: SortedSource<Item>) {
    this.#source = source
  }

  get item(): Item | undefined {
    return this.#items[this.#at]
  }

  get isEmpty(): boolean {
    return this.#at >= this.#items.length
  }

  step(): void {
    this.#at++
  }

  async fill(): Promise<void> {
    const { items, more } = await this.#source(this.#items.at(-1))
    this.#items = items
    this.#at = 0
    this.more = more && items.length > 0
  }
}
