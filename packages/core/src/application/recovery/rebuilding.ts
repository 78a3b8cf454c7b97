import { detailsOf } from '../../domain/task-details.ts'
import type { TaskId } from '../../domain/task-id.ts'
import { isFinalStatus } from '../../domain/task-status.ts'
import type { TaskEvent } from '../../domain/task-event.ts'
import type { NodeContext } from '../node/context.ts'
import { persist } from '../node/retrying.ts'
import type { Publisher } from '../commands/publisher.ts'
import { isUnreadable } from './unreadable-tasks.ts'
import { forEach, walk } from '../node/iterating.ts'

/** The outcome of a rebuild. */
export interface RebuildOutcome {
  /** The number of saved rows. */
  readonly saved: number
  /** The number of histories that cannot be read; each is in the log. */
  readonly unreadable: number
}

const atATime = 8

/** Rebuilds the listing from the histories while the system runs: the highest version of a row wins, so no newer row is overwritten. */
export class Rebuilding {
  readonly #node: NodeContext
  readonly #publisher: Publisher

  constructor(parts: { readonly node: NodeContext; readonly publisher: Publisher }) {
    this.#node = parts.node
    this.#publisher = parts.publisher
  }

  async rebuild(signal?: AbortSignal): Promise<RebuildOutcome> {
    const { storage, logger } = this.#node
    let saved = 0
    let unreadable = 0
    const taskIds = walk(this.#node, (bound) => storage.events.histories({ signal: bound }))
    await forEach(taskIds, atATime, async (taskId) => {
      signal?.throwIfAborted()
      try {
        if (await this.#save(taskId, signal)) saved++
      } catch (error) {
        if (!isUnreadable(error)) throw error
        unreadable++
        logger.error({ taskId, err: error }, 'left a task out of the rebuilt listing: its history cannot be read')
      }
    })
    return { saved, unreadable }
  }

  async #save(taskId: TaskId, signal: AbortSignal | undefined): Promise<boolean> {
    const { listing } = this.#node.storage
    const details = detailsOf(await this.#read(taskId, signal))
    if (details === undefined) return false
    await this.#persist(signal, (bound) => this.#publisher.saveRowNow(details, bound))
    // A purge may have removed the finished task since the read: then remove the row that was just saved, or it stays for ever.
    if (isFinalStatus(details.status) && (await this.#read(taskId, signal)).length === 0)
      await this.#persist(signal, (bound) => listing.remove(details, { signal: bound }))
    return true
  }

  #read(taskId: TaskId, signal: AbortSignal | undefined): Promise<readonly TaskEvent[]> {
    return this.#persist(signal, (bound) => this.#node.storage.events.read(taskId, { signal: bound }))
  }

  #persist<T>(signal: AbortSignal | undefined, call: (bound: AbortSignal) => Promise<T>): Promise<T> {
    return persist(this.#node, { forMs: this.#node.commandTimeoutMs, signal }, call)
  }
}
