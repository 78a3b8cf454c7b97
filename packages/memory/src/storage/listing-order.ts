import type { ListingPosition } from '@taskledger/core/ports'
import { compareListed } from '@taskledger/core/ports'

/** The maximum length of a chunk. A longer one is split. */
const maxChunkLength = 512

/**
 * Rows in the order of a listing, kept in short sorted chunks. Finding a row takes two binary searches, and adding or removing a row
 * moves at most one chunk, however many rows there are.
 */
export class ListingOrder<Row extends ListingPosition> {
  /** The oldest row first, because a new row is mostly the newest. No chunk is empty. */
  readonly #chunks: Row[][] = []

  add(row: Row): void {
    const last = Math.max(this.#chunks.length - 1, 0)
    const at = Math.min(this.#chunkOf(row), last)
    const chunk = this.#chunks[at] ?? []
    if (chunk.length === 0) this.#chunks.push(chunk)
    const index = indexIn(chunk, row)
    if (chunk.length < maxChunkLength) chunk.splice(index, 0, row)
    // A row at the very end begins a new chunk, because splitting would leave half-filled chunks behind.
    else if (at === last && index === chunk.length) this.#chunks.push([row])
    else {
      chunk.splice(index, 0, row)
      this.#chunks.splice(at + 1, 0, chunk.splice(maxChunkLength / 2))
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
   * The rows after the position, in the order of a listing; without a position, all rows. Iterate without an await: rows must not be
   * added or removed meanwhile.
   */
  *after(position?: ListingPosition): Generator<Row> {
    const start = position === undefined ? this.#chunks.length : this.#chunkOf(position)
    for (let at = Math.min(start, this.#chunks.length - 1); at >= 0; at--) {
      const chunk = this.#chunks[at] ?? []
      const end = position === undefined || at < start ? chunk.length : indexIn(chunk, position)
      for (let index = end - 1; index >= 0; index--) yield chunk[index] as Row
    }
  }

  /** The index of the chunk in which the position is or would be; one past the last chunk if it is newer than all rows. */
  #chunkOf(position: ListingPosition): number {
    return firstNotOlder(this.#chunks.length, position, (at) => this.#chunks[at]?.at(-1))
  }
}

/** The index in the chunk at which the position is or would be. */
const indexIn = (chunk: readonly ListingPosition[], position: ListingPosition): number =>
  firstNotOlder(chunk.length, position, (index) => chunk[index])

/** The index of the first row that is not older than the position, by binary search in `count` rows, the oldest first. */
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
