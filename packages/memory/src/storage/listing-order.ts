import type { ListingPosition } from '@taskledger/core/ports'
import { compareListed } from '@taskledger/core/ports'

/** Where a chunk that has become this long is cut in two. */
const longest = 512

/**
 * Rows in the order of a listing. They are kept in short sorted chunks: to find one takes two binary searches, to add or
 * remove one moves no more than a chunk, however many there are.
 */
export class ListingOrder<Row extends ListingPosition> {
  /** The oldest row first, since most rows that are added are the newest. No chunk is empty. */
  readonly #chunks: Row[][] = []

  add(row: Row): void {
    const last = Math.max(this.#chunks.length - 1, 0)
    const at = Math.min(this.#chunkOf(row), last)
    const chunk = this.#chunks[at] ?? []
    if (chunk.length === 0) this.#chunks.push(chunk)
    const index = indexIn(chunk, row)
    if (chunk.length < longest) chunk.splice(index, 0, row)
    // At the very end a new chunk is begun, for cutting would leave a trail of half-filled ones.
    else if (at === last && index === chunk.length) this.#chunks.push([row])
    else {
      chunk.splice(index, 0, row)
      this.#chunks.splice(at + 1, 0, chunk.splice(longest / 2))
    }
  }

  remove(position: ListingPosition): void {
    const at = this.#chunkOf(position)
    const chunk = this.#chunks[at]
    if (chunk === undefined) return
    const index = indexIn(chunk, position)
    const row = chunk[index]
    if (row === undefined || compareListed(row, position) !== 0) return
    chunk.splice(index, 1)
    if (chunk.length === 0) this.#chunks.splice(at, 1)
  }

  /**
   * The rows that come after the position, in the order of a listing; all of them where none is given. Walk them without an
   * await: rows must not be added or removed meanwhile.
   */
  *after(position?: ListingPosition): Generator<Row> {
    const start = position === undefined ? this.#chunks.length : this.#chunkOf(position)
    for (let at = Math.min(start, this.#chunks.length - 1); at >= 0; at--) {
      const chunk = this.#chunks[at] ?? []
      const end = position === undefined || at < start ? chunk.length : indexIn(chunk, position)
      for (let index = end - 1; index >= 0; index--) yield chunk[index] as Row
    }
  }

  /** The chunk in which the position is or would be; one past the last where it is newer than all. */
  #chunkOf(position: ListingPosition): number {
    return firstNotOlder(this.#chunks.length, position, (at) => this.#chunks[at]?.at(-1))
  }
}

/** Where in the chunk the position is or would be. */
const indexIn = (chunk: readonly ListingPosition[], position: ListingPosition): number =>
  firstNotOlder(chunk.length, position, (index) => chunk[index])

/** A binary search among `count` rows, the oldest first. */
const firstNotOlder = (count: number, position: ListingPosition, rowAt: (index: number) => ListingPosition | undefined): number => {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    const row = rowAt(middle)
    if (row !== undefined && compareListed(row, position) > 0) low = middle + 1
    else high = middle
  }
  return low
}
