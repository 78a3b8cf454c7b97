import { setImmediate as endOfTurn } from 'node:timers/promises'
import { onAbort } from '@taskledger/core/ports'

/** What a lane does with the items that go together, and how many those may be. */
export interface GroupCommitOptions<Item> {
  /** Sends the items of one key, and says of each, in the same order, what came of it. */
  flush(key: string, items: readonly Item[]): Promise<readonly PromiseSettledResult<void>[]>
  /** The most items that go together. */
  readonly maxItems: number
  /** The most bytes that go together; a larger item goes alone. */
  readonly maxBytes: number
  sizeOf(item: Item): number
  /** Items of the same id never go together: the later one waits for the outcome of the first. */
  idOf(item: Item): string
}

interface Waiting<Item> {
  readonly item: Item
  settle(result: PromiseSettledResult<void>): void
}

/**
 * Group commit without a timer. Of each key one flush at most is under way; what is added meanwhile goes together with the
 * next. An item that finds its lane idle goes at once, with those that are added in the same turn of the event loop: the
 * tasks of one submit, or those that one flush has just let go on. A key without items holds no memory.
 */
export class GroupCommit<Item> {
  readonly #options: GroupCommitOptions<Item>
  /** What waits, by key. A key is in here while a flush is under way. */
  readonly #lanes = new Map<string, Set<Waiting<Item>>>()

  constructor(options: GroupCommitOptions<Item>) {
    this.#options = options
  }

  /**
   * Resolves or rejects as the item's part of the flush does. With an aborted signal it rejects promptly: an item that still
   * waits goes nowhere, one that is under way goes on, with those beside it.
   */
  add(key: string, item: Item, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error)
      const lane = this.#lanes.get(key)
      const waits = lane ?? new Set()
      const waiting: Waiting<Item> = {
        item,
        settle: (result) => {
          leave?.()
          if (result.status === 'fulfilled') resolve()
          else reject(result.reason as Error)
        },
      }
      const leave =
        signal &&
        onAbort(signal, () => {
          waits.delete(waiting)
          reject(signal.reason as Error)
        })
      waits.add(waiting)
      if (lane !== undefined) return
      this.#lanes.set(key, waits)
      void this.#run(key, waits)
    })
  }

  async #run(key: string, waits: Set<Waiting<Item>>): Promise<void> {
    while (waits.size > 0) {
      await endOfTurn()
      const together = this.#board(waits)
      // All that waited were given up.
      if (together.length === 0) break
      const results = await this.#flush(
        key,
        together.map(({ item }) => item),
      )
      for (const [index, waiting] of together.entries()) waiting.settle(results[index] ?? noResult)
    }
    this.#lanes.delete(key)
  }

  async #flush(key: string, items: readonly Item[]): Promise<readonly PromiseSettledResult<void>[]> {
    try {
      return await this.#options.flush(key, items)
    } catch (reason) {
      return items.map(() => ({ status: 'rejected', reason }))
    }
  }

  /** Takes those that go next out of the line, in their order: at least one. */
  #board(waits: Set<Waiting<Item>>): readonly Waiting<Item>[] {
    const { maxItems, maxBytes, sizeOf, idOf } = this.#options
    const together: Waiting<Item>[] = []
    // Ids that are aboard, or that a larger one before them keeps waiting.
    const ids = new Set<string>()
    let bytes = 0
    for (const waiting of waits) {
      if (together.length === maxItems) break
      const [id, size] = [idOf(waiting.item), sizeOf(waiting.item)]
      const fits = together.length === 0 || bytes + size <= maxBytes
      if (!ids.has(id) && fits) {
        together.push(waiting)
        bytes += size
      }
      ids.add(id)
    }
    for (const waiting of together) waits.delete(waiting)
    return together
  }
}

const noResult: PromiseRejectedResult = { status: 'rejected', reason: new TypeError('a flush has to say of each item what came of it') }
