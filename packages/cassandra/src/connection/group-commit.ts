import { setImmediate as endOfTurn } from 'node:timers/promises'
import { onAbort } from '@taskledger/core/ports'

/** How items are flushed, and how many go into one flush. */
export interface GroupCommitOptions<Item> {
  /** Sends items of one key, and returns the result of each of them in the same order. */
  flush(key: string, items: readonly Item[]): Promise<readonly PromiseSettledResult<void>[]>
  /** The maximum number of items in a flush. */
  readonly maxItems: number
  /** The maximum number of bytes in a flush. A larger item is flushed alone. */
  readonly maxBytes: number
  sizeOf(item: Item): number
  /** Items of the same id are never in the same flush: the later item waits for the result of the earlier. */
  idOf(item: Item): string
}

interface Waiter<Item> {
  readonly item: Item
  settle(result: PromiseSettledResult<void>): void
}

/**
 * Group commit without a timer. Each key has at most one flush in flight, and items that are added meanwhile share the
 * next flush. An item whose key is idle is flushed at the end of the current turn of the event loop, with all items of
 * that turn: the tasks of one submit, or the callers that the last flush resumed. A key without items takes no memory.
 */
export class GroupCommit<Item> {
  readonly #options: GroupCommitOptions<Item>
  /** The items that wait, by key. A key is present while a flush of it is in flight. */
  readonly #waiters = new Map<string, Set<Waiter<Item>>>()

  constructor(options: GroupCommitOptions<Item>) {
    this.#options = options
  }

  /**
   * Settles with the item's own result in the flush. When the signal is aborted, it rejects promptly: a waiting item is
   * not flushed, and an item in flight stays in its flush, which other items share.
   */
  add(key: string, item: Item, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error)
      const present = this.#waiters.get(key)
      const waiters = present ?? new Set()
      const waiter: Waiter<Item> = {
        item,
        settle: (result) => {
          unlisten?.()
          if (result.status === 'fulfilled') resolve()
          else reject(result.reason as Error)
        },
      }
      const unlisten =
        signal &&
        onAbort(signal, () => {
          waiters.delete(waiter)
          reject(signal.reason as Error)
        })
      waiters.add(waiter)
      if (present !== undefined) return
      this.#waiters.set(key, waiters)
      void this.#run(key, waiters)
    })
  }

  async #run(key: string, waiters: Set<Waiter<Item>>): Promise<void> {
    while (waiters.size > 0) {
      await endOfTurn()
      const batch = this.#takeBatch(waiters)
      // Every waiter gave up before the end of the turn.
      if (batch.length === 0) break
      const results = await this.#flush(
        key,
        batch.map(({ item }) => item),
      )
      for (const [index, waiter] of batch.entries()) waiter.settle(results[index] ?? missingResult)
    }
    this.#waiters.delete(key)
  }

  async #flush(key: string, items: readonly Item[]): Promise<readonly PromiseSettledResult<void>[]> {
    try {
      return await this.#options.flush(key, items)
    } catch (reason) {
      return items.map(() => ({ status: 'rejected', reason }))
    }
  }

  /** Takes the next batch from the waiters, in their order: at least one. */
  #takeBatch(waiters: Set<Waiter<Item>>): readonly Waiter<Item>[] {
    const { maxItems, maxBytes, sizeOf, idOf } = this.#options
    const batch: Waiter<Item>[] = []
    // Also the ids of items that do not fit: a later item of the same id must not overtake them.
    const ids = new Set<string>()
    let bytes = 0
    for (const waiter of waiters) {
      if (batch.length === maxItems) break
      const [id, size] = [idOf(waiter.item), sizeOf(waiter.item)]
      const fits = batch.length === 0 || bytes + size <= maxBytes
      if (!ids.has(id) && fits) {
        batch.push(waiter)
        bytes += size
      }
      ids.add(id)
    }
    for (const waiter of batch) waiters.delete(waiter)
    return batch
  }
}

const missingResult: PromiseRejectedResult = {
  status: 'rejected',
  reason: new TypeError('a flush returned no result for one of its items'),
}
