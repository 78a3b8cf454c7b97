import { isSuspect } from '../../domain/crashes.ts'
import type { TaskDetails, TaskLife } from '../../domain/task-details.ts'
import { writerOf } from '../../domain/task-details.ts'
import type { TaskProgress } from '../../domain/task-event.ts'
import { longestDelayMs } from '../../domain/retry-policy.ts'
import type { TaskId } from '../../domain/task-id.ts'
import { isFinalStatus } from '../../domain/task-status.ts'
import type { UnreadableRow } from '../../ports/task-listing.ts'
import type { Aggregate } from '../commands/aggregate.ts'
import { fold, noTask } from '../commands/aggregate.ts'
import { TaskNotFound } from '../node/errors.ts'
import type { EventSourcing } from '../commands/event-sourcing.ts'
import type { NodeContext } from '../node/context.ts'
import { commandBase } from '../node/context.ts'
import type { NodeWatch } from '../membership/node-watch.ts'
import { persist } from '../node/retrying.ts'
import type { Publisher } from '../commands/publisher.ts'
import type { QueueHorizons } from './queue-horizons.ts'
import type { Sender } from '../commands/sender.ts'
import type { RowTimes } from './row-times.ts'
import type { Suspicion } from './suspicion.ts'
import { isUnreadable, UnreadableTasks } from './unreadable-tasks.ts'

/** A task without its scheduler is adopted at most this long before it is due, in milliseconds; a later sweep adopts the others. */
const adoptedMs = 600_000

/** After this time without a change a running task's row is compared with its history, in milliseconds. */
const oldMs = 60_000

/** Each resend of a message doubles the `overdueMs` before the next one, at most this number of times. */
const maxDoublings = 6

/** Diagnoses one task, and repairs it. */
export class Recovery {
  readonly #node: NodeContext
  readonly #eventSourcing: EventSourcing
  readonly #publisher: Publisher
  readonly #sender: Sender
  readonly #watch: NodeWatch
  readonly #horizons: QueueHorizons
  readonly #times: RowTimes
  readonly #overdueMs: number
  readonly unreadable: UnreadableTasks
  /** Whether a task could not be judged, because the registry did not answer. The next sweep has to be full. */
  hasPostponed = false
  /** The resent messages, so that a message in a backlog is not resent at every sweep. Times are by `clock.elapsed()`. */
  readonly #resent = new Map<TaskId, { readonly at: number; readonly times: number }>()
  /** The writers of rows whose clocks this node does not know: when it first met a row of theirs. */
  readonly #strangers = new Map<string, number>()
  #reconnectedAt = -Infinity

  constructor(parts: {
    readonly node: NodeContext
    readonly eventSourcing: EventSourcing
    readonly publisher: Publisher
    readonly sender: Sender
    readonly watch: NodeWatch
    readonly horizons: QueueHorizons
    readonly times: RowTimes
    readonly overdueMs: number
  }) {
    this.#node = parts.node
    this.#eventSourcing = parts.eventSourcing
    this.#publisher = parts.publisher
    this.#sender = parts.sender
    this.#watch = parts.watch
    this.#horizons = parts.horizons
    this.#times = parts.times
    this.#overdueMs = parts.overdueMs
    this.unreadable = new UnreadableTasks(parts.node.logger)
  }

  /** What may be wrong with a task, judged by its row; `undefined` if it seems well. */
  async suspect(row: TaskDetails): Promise<Suspicion | undefined> {
    if (row.status !== 'waiting') {
      const { node = row.createdOn } = row
      if (!this.#watch.isLive(node)) return { type: 'orphaned', nodeId: node }
      return this.#times.changedAt(row) + oldMs < this.#now ? { type: 'old' } : undefined
    }
    if (!(await this.#canTellTimes(row))) {
      this.hasPostponed = true
      return undefined
    }
    if (this.#times.dueAt(row) > this.#now) {
      const isScheduled = this.#watch.isLive(writerOf(row)) && !this.#times.isDoubtful(row)
      return isScheduled ? undefined : { type: 'unscheduled' }
    }
    return (await this.#isOvertaken(row)) ? { type: 'overtaken' } : undefined
  }

  /**
   * The details of a task whose row cannot be read, from its history; `undefined` if the history cannot be read, either. The row is saved
   * again: a later sweep shows whether that helped.
   */
  async restore(row: UnreadableRow): Promise<TaskDetails | undefined> {
    this.unreadable.reportRow(row)
    const details = (await this.#read({ taskId: row.taskId, version: 0 }, false))?.details
    if (details !== undefined) await this.#publisher.saveRow(details)
    return details
  }

  /** Repairs a task if the suspicion holds. Returns whether anything was repaired. */
  async repair(row: TaskDetails, suspicion: Suspicion): Promise<boolean> {
    if (suspicion.type === 'unscheduled') {
      await this.#adopt(row)
      return false
    }
    if (suspicion.type === 'orphaned' && !this.#watch.isDead(suspicion.nodeId)) {
      // It is not known yet whether the node is dead: the watch reports a death, which starts a full sweep.
      this.#watch.miss(suspicion.nodeId)
      return false
    }
    const aggregate = await this.#read(row)
    if (aggregate?.details === undefined) return false
    const { details } = aggregate
    const wasBehind = details.version > row.version
    if (wasBehind) await this.#publisher.saveRow(details)
    if (isFinalStatus(details.status)) return true
    if (details.status !== 'waiting') return (await this.#repairRunning(aggregate, details)) || wasBehind
    if (this.#times.isDoubtful(details)) this.#noteLongestDelay(aggregate, details)
    if (this.#times.dueAt(details) > this.#now || (await this.#isOvertaken(details))) {
      await this.#sendAgain(aggregate, details)
      return true
    }
    return wasBehind
  }

  /**
   * Notes that the connection to messaging was lost for a while. Sends that were held back arrive only now, some of them behind later
   * messages, so the overdue time of every message starts again.
   */
  noteGap(): void {
    this.#reconnectedAt = this.#now
  }

  /** Drops the records of old resends. */
  prune(): void {
    this.#times.prune()
    this.#strangers.clear()
    const longAgo = this.#now - 2 * this.#overdueMs * 2 ** maxDoublings
    for (const [taskId, { at }] of this.#resent) if (at < longAgo) this.#resent.delete(taskId)
  }

  /** Whether this node knows the clock of the row's writer, or has not found the writer among the live nodes. */
  async #canTellTimes(row: TaskDetails): Promise<boolean> {
    const writer = writerOf(row)
    if (this.#node.clocks.knows(writer)) return true
    const metAt = this.#strangers.get(writer) ?? this.#now
    this.#strangers.set(writer, metAt)
    if (this.#watch.readAt < metAt) await this.#watch.refreshFromNow()
    return this.#watch.readAt >= metAt
  }

  get #now(): number {
    return this.#node.clock.elapsed()
  }

  /** Reads the history; `undefined` if it is unreadable, which is logged once. */
  async #read({ taskId, version }: Pick<TaskDetails, 'taskId' | 'version'>, isRowReadable = true): Promise<Aggregate | undefined> {
    try {
      const events = await persist(this.#node, { forMs: this.#node.commandTimeoutMs }, (signal) =>
        this.#node.storage.events.read(taskId, { signal }),
      )
      const aggregate = fold(noTask, events)
      const { details, last } = aggregate
      if (details === undefined || last === undefined) throw new TaskNotFound(taskId)
      if (isRowReadable) this.unreadable.forget(taskId)
      // The row missed the end, so awaiting callers may have missed the notice of the end, too.
      if (isFinalStatus(details.status)) await this.#publisher.announce(taskId, [last])
      return aggregate
    } catch (error) {
      if (!isUnreadable(error)) throw error
      this.unreadable.report(taskId, version, error)
      return undefined
    }
  }

  async #isOvertaken(details: TaskDetails): Promise<boolean> {
    const { at = -Infinity, times = 0 } = this.#resent.get(details.taskId) ?? {}
    const patienceMs = this.#overdueMs * 2 ** Math.min(times, maxDoublings)
    const since = Math.max(this.#times.dueAt(details), at, this.#reconnectedAt)
    if (since + patienceMs > this.#now) return false
    return since + this.#overdueMs <= (await this.#horizons.of(details.queue))
  }

  /** Sends the message of a task when it is due, in place of a node that is gone. */
  async #adopt(row: TaskDetails): Promise<void> {
    if (this.#times.isDoubtful(row)) {
      // Is the due time of the row wrong, or the clock of this node? The task waits as long as its policy allows, and no longer.
      const aggregate = await this.#read(row)
      if (aggregate?.details?.version !== row.version) return
      this.#noteLongestDelay(aggregate, row)
    }
    const dueAt = this.#times.dueAt(row)
    // A message may have told this node how long to wait. The row tells less if the clock of its writer is unknown.
    if (!this.#node.clocks.knows(writerOf(row)) && this.#sender.scheduledAt(row) <= dueAt) return
    const dueInMs = dueAt - this.#now
    if (dueInMs <= adoptedMs && !this.#watch.isLive(writerOf(row))) await this.#sender.send(row, { dueInMs })
  }

  #noteLongestDelay({ state: { retry, failures, crashes } }: Aggregate, row: TaskDetails): void {
    this.#times.noteDelay(row, longestDelayMs(retry, Math.max(failures, crashes.inARow)))
  }

  async #sendAgain({ created, state }: Aggregate, details: TaskDetails): Promise<void> {
    const { taskId, queue, version, attempt } = details
    const now = this.#now
    const dueInMs = this.#times.dueAt(details) - now
    if (dueInMs <= 0) {
      this.#resent.set(taskId, { at: now, times: (this.#resent.get(taskId)?.times ?? 0) + 1 })
      const fields = { taskId, queue, attempt }
      // Its message may be among those that workers postpone. Nobody can tell, and a second message does no harm.
      if (isSuspect(state.crashes, state.retry.maxCrashes))
        this.#node.logger.info(fields, 'sent a task again that has crashed: it waits, or its message is lost')
      else this.#node.logger.warn(fields, 'resent the lost message of a waiting task')
    }
    await this.#sender.send(details, { created: version === 1 ? created : undefined, dueInMs })
  }

  async #repairRunning(aggregate: Aggregate, { taskId, createdAt, node = '', attempt }: TaskDetails): Promise<boolean> {
    if (this.#watch.isLive(node)) return false
    this.#watch.miss(node)
    if (!this.#watch.isDead(node)) return false
    // The node may have come back since the latest registry read, and may have claimed the task only then. A claim follows a renewal, so a
    // registry read that begins now shows the node.
    await this.#watch.refreshFromNow()
    if (!this.#watch.isDead(node)) return false
    const { nodeId, logger, commandTimeoutMs, random } = this.#node
    const progress = await this.#savedProgress({ taskId, createdAt })
    const {
      refused,
      aggregate: after,
      dueInMs,
    } = await this.#eventSourcing.dispatch(
      {
        type: 'DeclareDead',
        ...commandBase(this.#node, taskId),
        attempt,
        diedOn: node,
        random: random(),
        ...(progress === undefined ? {} : { progress }),
      },
      { known: aggregate, persistence: { forMs: commandTimeoutMs } },
    )
    // Another node was first, or the attempt ended after all.
    if (refused !== undefined || after.details === undefined) return false
    const { status, type, crashes } = after.details
    const fields = { taskId, type, attempt, diedOn: node, by: nodeId, status, crashes }
    if (status === 'died') logger.error(fields, 'ended a task as died: its process died too often')
    else logger.warn(fields, 'declared an attempt dead: its node is gone')
    if (status === 'waiting') await this.#sender.send(after.details, { dueInMs })
    return true
  }

  /** What the dead attempt reported last: it says whether the task got further, and becomes part of the history. */
  async #savedProgress(task: TaskLife): Promise<TaskProgress | undefined> {
    const { storage, commandTimeoutMs, logger } = this.#node
    try {
      return await persist(this.#node, { forMs: commandTimeoutMs }, (signal) => storage.listing.progress(task, { signal }))
    } catch (error) {
      logger.warn({ taskId: task.taskId, err: error }, 'failed to read the last progress of a dead attempt: its crash counts in any case')
      return undefined
    }
  }
}
