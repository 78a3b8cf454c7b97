import type { TaskLife } from '../../domain/task-details.ts'
import { detailsOf } from '../../domain/task-details.ts'
import type { TaskEvent } from '../../domain/task-event.ts'
import type { TaskStatus } from '../../domain/task-status.ts'
import { isFinalStatus, taskStatuses } from '../../domain/task-status.ts'
import type { NodeContext } from '../node/context.ts'
import { persist } from '../node/retrying.ts'
import { forEach } from '../node/iterating.ts'
import { isUnreadable } from './unreadable-tasks.ts'

/** The outcome of a purge. */
export interface PurgeOutcome {
  /** The number of removed tasks. */
  readonly removed: number
  /**
   * The number of tasks with an idempotency key that finished before the time and stay for a later purge: by the slowest clock of the cluster,
   * their last attempt has not started yet. A next task of the same key could get a lower fencing token.
   */
  readonly deferred: number
  /** The number of tasks that stay because their histories cannot be read; each is in the log. */
  readonly unreadable: number
}

/** What becomes of one task. */
type Fate = keyof PurgeOutcome | 'kept'

const pageSize = 200

/** How many tasks are removed at once: a purge leaves the engine to the running tasks. */
const atATime = 4

const finalStatuses: readonly TaskStatus[] = taskStatuses.filter(isFinalStatus)

/** Removes tasks that finished long ago. */
export class Purging {
  readonly #node: NodeContext

  constructor(node: NodeContext) {
    this.#node = node
  }

  /** Removes the tasks that finished before a time (milliseconds since 1970). After an abort the removed tasks stay removed. */
  async purge(finishedBefore: number, signal?: AbortSignal): Promise<PurgeOutcome> {
    const counts: Record<Fate, number> = { removed: 0, deferred: 0, unreadable: 0, kept: 0 }
    let cursor: string | undefined
    do {
      // A task is created before it finishes, so tasks created later need not be read.
      const filter = { statuses: finalStatuses, until: finishedBefore }
      const page = await this.#persist(signal, (bound) =>
        this.#node.storage.listing.list(filter, { limit: pageSize, signal: bound, ...(cursor === undefined ? {} : { cursor }) }),
      )
      // The history says when the task of a row finished that cannot be read.
      const candidates: readonly TaskLife[] = [
        ...page.tasks.filter(({ finishedAt = Infinity }) => finishedAt < finishedBefore),
        ...(page.unreadable ?? []),
      ]
      await forEach(candidates, atATime, async (row) => {
        signal?.throwIfAborted()
        counts[await this.#purgeOne(row, finishedBefore, signal)]++
      })
      cursor = page.cursor
    } while (cursor !== undefined)
    const { kept: _kept, ...outcome } = counts
    return outcome
  }

  /** Removes the row last: as long as the row exists, the next purge completes an interrupted removal. */
  async #purgeOne(row: TaskLife, finishedBefore: number, signal: AbortSignal | undefined): Promise<Fate> {
    const { events, listing } = this.#node.storage
    const history = await this.#read(row, signal)
    if (history === undefined) return 'unreadable'
    const [first] = history
    const details = detailsOf(history)
    // Without its history a row is the rest of an interrupted removal. The history may be that of the next task of the same key.
    if (first !== undefined && details?.createdAt === row.createdAt) {
      if (!isFinalStatus(details.status) || (details.finishedAt ?? Infinity) >= finishedBefore) return 'kept'
      if (details.idempotencyKey !== undefined && (details.fence ?? 0) >= this.#node.clocks.slowestNow()) return 'deferred'
      await this.#persist(signal, (bound) => events.remove(row.taskId, { signal: bound, firstEventId: first.eventId }))
    }
    await this.#persist(signal, (bound) => listing.remove(row, { signal: bound }))
    return 'removed'
  }

  /** The history of a row; `undefined` if it cannot be read. */
  async #read({ taskId }: TaskLife, signal: AbortSignal | undefined): Promise<readonly TaskEvent[] | undefined> {
    try {
      return await this.#persist(signal, (bound) => this.#node.storage.events.read(taskId, { signal: bound }))
    } catch (error) {
      if (!isUnreadable(error)) throw error
      this.#node.logger.error({ taskId, err: error }, 'left a finished task unchanged: its history cannot be read')
      return undefined
    }
  }

  #persist<T>(signal: AbortSignal | undefined, call: (bound: AbortSignal) => Promise<T>): Promise<T> {
    return persist(this.#node, { forMs: this.#node.commandTimeoutMs, signal }, call)
  }
}
