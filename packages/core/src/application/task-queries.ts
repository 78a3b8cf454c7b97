import type { TaskDetails } from '../domain/task-details.ts'
import { detailsOf, isLaterProgress, mergeProgress } from '../domain/task-details.ts'
import type { TaskEvent } from '../domain/task-event.ts'
import type { TaskId } from '../domain/task-id.ts'
import { isFinalStatus } from '../domain/task-status.ts'
import type { CallOptions } from '../ports/call-options.ts'
import type { Awaiting, Waiter } from './awaiting.ts'
import { isEnd } from './awaiting.ts'
import { AwaitTimeout, isTaskNotFound, TaskNotFound } from './errors.ts'
import type { NodeContext } from './node-context.ts'
import { checkMs } from './options.ts'
import { mayPass, persist } from './persistence.ts'

/** How long to wait for the end of a task. */
export interface WaitOptions extends CallOptions {
  /** How long to wait, in milliseconds. Default: as long as it takes. */
  readonly timeoutMs?: number
}

/** Answers questions about one task from its history. */
export class TaskQueries {
  readonly #node: NodeContext
  readonly #awaiting: Awaiting

  constructor(node: NodeContext, awaiting: Awaiting) {
    this.#node = node
    this.#awaiting = awaiting
  }

  async history(taskId: TaskId, { signal }: CallOptions): Promise<readonly TaskEvent[]> {
    this.#node.closed.throwIfAborted()
    const persistence = { forMs: this.#node.commandTimeoutMs, signal }
    const events = await persist(this.#node, persistence, (bound) => this.#node.storage.events.read(taskId, { signal: bound }))
    if (events.length === 0) throw new TaskNotFound(taskId)
    return events
  }

  async details(taskId: TaskId, options: CallOptions): Promise<TaskDetails> {
    const details = await this.#fold(taskId, options)
    // Before the first attempt there is no progress, after the last it stands in the history.
    if (details.attempt === 0 || isFinalStatus(details.status)) return details
    const persistence = { forMs: this.#node.commandTimeoutMs, signal: options.signal }
    return mergeProgress(
      details,
      await persist(this.#node, persistence, (signal) => this.#node.storage.listing.progress(taskId, { signal })),
    )
  }

  async finished(taskId: TaskId, { timeoutMs, signal }: WaitOptions): Promise<TaskDetails> {
    if (timeoutMs === undefined) return this.#finished(taskId, signal)
    checkMs('timeoutMs', timeoutMs)
    const timeout = new AbortController()
    const cancel = this.#node.clock.schedule(timeoutMs, () => timeout.abort(new AwaitTimeout(taskId, timeoutMs)))
    try {
      return await this.#finished(taskId, signal === undefined ? timeout.signal : AbortSignal.any([signal, timeout.signal]))
    } finally {
      cancel()
    }
  }

  async *watch(taskId: TaskId, { signal }: CallOptions): AsyncIterableIterator<TaskDetails> {
    const waiter = this.#awaiting.waiter(taskId, () => true, signal)
    try {
      let shown: TaskDetails | undefined
      for (;;) {
        const details = await this.details(taskId, signal === undefined ? {} : { signal })
        if (shown === undefined || isNews(details, shown)) yield (shown = details)
        if (isFinalStatus(details.status)) return
        await waiter.change()
      }
    } finally {
      waiter.stop()
    }
  }

  async #finished(taskId: TaskId, signal: AbortSignal | undefined): Promise<TaskDetails> {
    const waiter: Waiter = this.#awaiting.waiter(taskId, isEnd, signal)
    try {
      for (let isKnown = false; ;) {
        try {
          const details = await this.#fold(taskId, signal === undefined ? {} : { signal })
          if (isFinalStatus(details.status)) return details
          isKnown = true
        } catch (error) {
          // An outage does not end a wait that had begun: the next look is at the next notice, gap or poll.
          if (!isKnown || !mayPass(error) || isTaskNotFound(error) || signal?.aborted) throw error
          this.#node.logger.warn({ taskId, err: error }, 'an awaited task could not be looked up; it is still awaited')
        }
        await waiter.change()
      }
    } finally {
      waiter.stop()
    }
  }

  async #fold(taskId: TaskId, options: CallOptions): Promise<TaskDetails> {
    const details = detailsOf(await this.history(taskId, options))
    if (details === undefined) throw new TaskNotFound(taskId)
    return details
  }
}

const isNews = (details: TaskDetails, shown: TaskDetails): boolean =>
  details.version > shown.version || (details.progress !== undefined && isLaterProgress(details.progress, shown.progress))
