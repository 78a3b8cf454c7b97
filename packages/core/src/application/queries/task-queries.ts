import type { TaskNotice } from '../../ports/event-bus.ts'
import type { TaskDetails } from '../../domain/task-details.ts'
import { detailsOf, isLaterProgress, mergeProgress } from '../../domain/task-details.ts'
import type { EncodedTask, TaskEvent } from '../../domain/task-event.ts'
import { isFinalStatus } from '../../domain/task-status.ts'
import type { CallOptions } from '../../ports/call-options.ts'
import type { NodeInfo } from '../../ports/node-registry.ts'
import { isUnreadableNode } from '../../ports/node-registry.ts'
import type { TaskPage } from '../../ports/task-listing.ts'
import type { Awaiting, Waiter } from './awaiting.ts'
import { isEnd } from './awaiting.ts'
import type { BodyWaits } from './body-waits.ts'
import type { ListQuery } from './list-query.ts'
import { filterOf, pageQueryOf } from './list-query.ts'
import type { AskedTask } from '../node/asked-task.ts'
import { checkType } from '../node/asked-task.ts'
import { hasCode } from '../node/error-codes.ts'
import { AwaitTimeout, TaskNotFound } from '../node/errors.ts'
import type { NodeContext } from '../node/context.ts'
import type { ChecksOf } from '../../ports/shared/check-options.ts'
import { checkOptions } from '../../ports/shared/check-options.ts'
import { checkMs } from '../../ports/shared/checks.ts'
import { callChecks, checkCall } from '../node/checks.ts'
import { mayPass, persist } from '../node/retrying.ts'

/** How long to wait for the end of a task. */
export interface WaitOptions extends CallOptions {
  /** How long to wait, in milliseconds. Default: without a limit. */
  readonly timeoutMs?: number | undefined
}

/** A live node, as the registry has it. */
export interface LiveNode extends NodeInfo {
  /**
   * How long ago the node renewed its entry, in milliseconds by the clock of the node that answers: `running` and `delivered` are as old as
   * this. A node renews its entry every 5 seconds by default. If the clocks of the two nodes differ by more than that, the age may be too low by
   * that time.
   */
  readonly ageMs: number
}

const waitChecks = { ...callChecks, timeoutMs: checkMs } satisfies ChecksOf<WaitOptions>

/** Answers questions: about one task from its history, about many from the listing, about nodes from the registry. */
export class TaskQueries {
  readonly #node: NodeContext
  readonly #awaiting: Awaiting
  readonly #bodyWaits: BodyWaits

  constructor(parts: { readonly node: NodeContext; readonly awaiting: Awaiting; readonly bodyWaits: BodyWaits }) {
    this.#node = parts.node
    this.#awaiting = parts.awaiting
    this.#bodyWaits = parts.bodyWaits
  }

  async list(query: ListQuery): Promise<TaskPage> {
    this.#node.closed.throwIfAborted()
    const checked = pageQueryOf(query)
    const filter = filterOf(checked)
    if (filter.statuses?.length === 0) return { tasks: [] }
    const { cursor, signal, limit = 50 } = checked
    return persist(this.#node, { forMs: this.#node.commandTimeoutMs, signal }, (bound) =>
      this.#node.storage.listing.list(filter, { limit, signal: bound, ...(cursor === undefined ? {} : { cursor }) }),
    )
  }

  async nodes(options: CallOptions): Promise<readonly LiveNode[]> {
    this.#node.closed.throwIfAborted()
    const { signal } = checkCall('nodes', options)
    const { commandTimeoutMs, storage } = this.#node
    const live = await persist(this.#node, { forMs: commandTimeoutMs, signal }, (bound) => storage.nodes.live({ signal: bound }))
    // The node watch logs the others.
    return live.flatMap((node) => (isUnreadableNode(node) ? [] : { ...node, ageMs: this.#ageOf(node) }))
  }

  /** The difference of two wall clocks is known up to the time between two renewals: if it may be none, it is taken for none. */
  #ageOf({ nodeId, renewedAt }: NodeInfo): number {
    const { clock, clocks, lease } = this.#node
    const seenMs = Math.max(0, clock.elapsed() - clocks.elapsedAt(renewedAt, nodeId))
    const ageMs = clock.now() - renewedAt
    return Math.round(ageMs >= seenMs && ageMs <= seenMs + 2 * lease.settings.renewMs ? ageMs : seenMs)
  }

  async history(task: AskedTask, options: CallOptions): Promise<readonly TaskEvent[]> {
    this.#node.closed.throwIfAborted()
    const { taskId } = task
    const { signal } = checkCall('history', options)
    const persistence = { forMs: this.#node.commandTimeoutMs, signal }
    const events = await persist(this.#node, persistence, (bound) => this.#node.storage.events.read(taskId, { signal: bound }))
    if (events.length === 0) throw new TaskNotFound(taskId)
    checkType(task, events[0])
    return events
  }

  /** The task as it was submitted: with its payload. */
  async encoded(task: AskedTask, options: CallOptions): Promise<EncodedTask> {
    const [first] = await this.history(task, checkCall('payload', options))
    if (first?.type !== 'TaskCreated') throw new TaskNotFound(task.taskId)
    return first.task
  }

  async details(task: AskedTask, given: CallOptions): Promise<TaskDetails> {
    const { taskId } = task
    const options = checkCall('details', given)
    const details = await this.#fold(task, options)
    // Before the first attempt there is no progress; after the last one the history has it.
    if (details.attempt === 0 || isFinalStatus(details.status)) return details
    const { storage, deadlines, logger } = this.#node
    try {
      return mergeProgress(details, await deadlines.call(options.signal, (signal) => storage.listing.progress(details, { signal })))
    } catch (error) {
      options.signal?.throwIfAborted()
      this.#node.closed.throwIfAborted()
      // The history is complete without the progress: leave the progress out.
      logger.warn({ taskId, err: error }, 'failed to read the progress of a task: its details leave the progress out')
      return details
    }
  }

  async finished(task: AskedTask, options: WaitOptions): Promise<TaskDetails> {
    const { timeoutMs, signal } = checkOptions('a wait', options, waitChecks)
    if (timeoutMs === undefined) return this.#finished(task, signal)
    const timeout = new AbortController()
    const cancel = this.#node.clock.schedule(timeoutMs, () => timeout.abort(new AwaitTimeout(task.taskId, timeoutMs)))
    try {
      return await this.#finished(task, signal === undefined ? timeout.signal : AbortSignal.any([signal, timeout.signal]))
    } finally {
      cancel()
    }
  }

  watch(task: AskedTask, options: CallOptions): AsyncIterableIterator<TaskDetails> {
    const { signal } = checkCall('watch', options)
    const stop = new AbortController()
    const changes = this.#changes(task, signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]), stop.signal)
    return {
      next: () => changes.next(),
      // Abort first: a generator that awaits a change would return only after that change.
      return() {
        stop.abort()
        return changes.return(undefined)
      },
      throw(error) {
        stop.abort()
        return changes.throw(error)
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }

  async *#changes(task: AskedTask, signal: AbortSignal, stopped: AbortSignal): AsyncGenerator<TaskDetails, undefined, undefined> {
    const waiter = this.#awaiting.waiter(task.taskId, () => true, signal)
    try {
      let shown: TaskDetails | undefined
      for (;;) {
        const details = await this.details(task, { signal })
        if (shown === undefined || isNews(details, shown)) yield (shown = details)
        if (isFinalStatus(details.status)) return undefined
        await this.#changeFor(waiter, details)
      }
    } catch (error) {
      if (!stopped.aborted) throw error
      return undefined
    } finally {
      waiter.stop()
    }
  }

  /** A body that watches counts as waiting only here: between two changes it may do something else. */
  async #changeFor(waiter: Waiter, details: TaskDetails): Promise<void> {
    const wait = this.#bodyWaits.begin()
    wait?.saw(details)
    try {
      await waiter.change()
    } finally {
      wait?.end()
    }
  }

  async #finished(task: AskedTask, signal: AbortSignal | undefined): Promise<TaskDetails> {
    const { taskId } = task
    const wait = this.#bodyWaits.begin()
    const isWoken = (notice: TaskNotice): boolean => {
      wait?.saw(notice)
      return isEnd(notice)
    }
    const waiter: Waiter = this.#awaiting.waiter(taskId, isWoken, signal)
    try {
      for (let isKnown = false; ;) {
        try {
          const details = await this.#fold(task, signal === undefined ? {} : { signal })
          wait?.saw(details)
          if (isFinalStatus(details.status)) return details
          isKnown = true
        } catch (error) {
          // An outage does not end a wait that has begun: the next notice, gap or poll reads again.
          if (!isKnown || !mayPass(error) || hasCode(error, 'TASK_NOT_FOUND') || signal?.aborted) throw error
          this.#node.logger.warn({ taskId, err: error }, 'failed to read an awaited task: the wait goes on')
        }
        await waiter.change()
      }
    } finally {
      waiter.stop()
      wait?.end()
    }
  }

  async #fold(task: AskedTask, options: CallOptions): Promise<TaskDetails> {
    const details = detailsOf(await this.history(task, options))
    if (details === undefined) throw new TaskNotFound(task.taskId)
    return details
  }
}

const isNews = (details: TaskDetails, shown: TaskDetails): boolean =>
  details.version > shown.version || (details.progress !== undefined && isLaterProgress(details.progress, shown.progress))
