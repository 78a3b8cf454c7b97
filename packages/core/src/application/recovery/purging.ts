import type { TaskDetails } from '../../domain/task-details.ts'
import type { TaskStatus } from '../../domain/task-status.ts'
import { isFinalStatus, taskStatuses } from '../../domain/task-status.ts'
import type { NodeContext } from '../node/context.ts'
import { persist } from '../node/retrying.ts'
import { forEach } from '../node/iterating.ts'

/** The outcome of a purge. */
export interface PurgeOutcome {
  /** The number of removed tasks. */
  readonly removed: number
}

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
    let removed = 0
    let cursor: string | undefined
    do {
      // A task is created before it finishes, so tasks created later need not be read.
      const filter = { statuses: finalStatuses, until: finishedBefore }
      const page = await this.#persist(signal, (bound) =>
        this.#node.storage.listing.list(filter, { limit: pageSize, signal: bound, ...(cursor === undefined ? {} : { cursor }) }),
      )
      const finished = page.tasks.filter(({ finishedAt = Infinity }) => finishedAt < finishedBefore)
      await forEach(finished, atATime, async (task) => {
        signal?.throwIfAborted()
        await this.#remove(task, signal)
        removed++
      })
      cursor = page.cursor
    } while (cursor !== undefined)
    return { removed }
  }

  /** Removes the row last: as long as the row exists, the next purge completes an interrupted removal. */
  async #remove(task: TaskDetails, signal: AbortSignal | undefined): Promise<void> {
    const { events, listing } = this.#node.storage
    await this.#persist(signal, (bound) => events.remove(task.taskId, { signal: bound }))
    await this.#persist(signal, (bound) => listing.remove(task, { signal: bound }))
  }

  #persist<T>(signal: AbortSignal | undefined, call: (bound: AbortSignal) => Promise<T>): Promise<T> {
    return persist(this.#node, { forMs: this.#node.commandTimeoutMs, signal }, call)
  }
}
