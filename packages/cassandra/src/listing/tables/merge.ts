/** A page of a sorted source. */
export interface SortedPage<Item> {
  readonly items: readonly Item[]
  /** Whether more items may come after the last one. */
  readonly more: boolean
}

/** Reads the page after an item, or the first page. */
type SortedSource<Item> = (after: Item | undefined) => Promise<SortedPage<Item>>

/**
 * Walks several sorted sources as one. The first pages are read at the same time. After that a source is read again
 * only when the walk has used up its last page, so that no page is read in vain.
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
