import type { TaskCommand } from '../../domain/task-command.ts'
import type { TaskDetails } from '../../domain/task-details.ts'
import { isLaterProgress } from '../../domain/task-details.ts'
import type { TaskError, TaskProgress } from '../../domain/task-event.ts'
import type { TaskId } from '../../domain/task-id.ts'
import { hasCode } from '../../ports/shared/errors.ts'
import { describeError } from '../../tasks/describe-error.ts'
import type { RunnableTask } from '../../tasks/task-factory.ts'
import type { Aggregate } from '../commands/aggregate.ts'
import type { EventSourcing, Outcome } from '../commands/event-sourcing.ts'
import type { NodeContext } from '../node/context.ts'
import { commandBase } from '../node/context.ts'
import { persist, persistAnyway, untilClosed } from '../node/retrying.ts'
import { ProgressReports } from './progress-reports.ts'
import type { Publisher } from '../commands/publisher.ts'
import type { Sender } from '../commands/sender.ts'
import type { Ending } from './conclusion.ts'
import { conclusionOf } from './conclusion.ts'
import { errorFrom, logEnd } from './ended-attempts.ts'
import { TaskRun } from './task-run.ts'
import type { WorkerSettings } from './settings.ts'

/** Runs claimed tasks on this node, aborts them when they have to stop, and settles each attempt by one command. */
export class Attempts {
  readonly #node: NodeContext
  readonly #eventSourcing: EventSourcing
  readonly #publisher: Publisher
  readonly #sender: Sender
  readonly #settings: WorkerSettings
  readonly #isLapseHarmless: () => boolean
  readonly #reports: ProgressReports
  readonly #runs = new Map<TaskId, TaskRun>()
  #isShuttingDown = false

  constructor(parts: {
    readonly node: NodeContext
    readonly eventSourcing: EventSourcing
    readonly publisher: Publisher
    readonly sender: Sender
    readonly settings: WorkerSettings
    /** Whether the running tasks may outlive a lapse of the lease at this moment. */
    readonly isLapseHarmless: () => boolean
  }) {
    this.#node = parts.node
    this.#eventSourcing = parts.eventSourcing
    this.#publisher = parts.publisher
    this.#sender = parts.sender
    this.#settings = parts.settings
    this.#isLapseHarmless = parts.isLapseHarmless
    this.#reports = new ProgressReports(parts.node, parts.settings.progressIntervalMs)
  }

  get running(): readonly TaskId[] {
    return [...this.#runs.keys()]
  }

  /**
   * Runs a claimed task until it is settled. `begunAt` is when the claim began (`clock.elapsed()`); `isMissed` says whether this node
   * may have missed a cancel request since.
   */
  async run(claimed: Aggregate, runnable: RunnableTask, begunAt: number, isMissed: () => boolean): Promise<void> {
    const run = await this.#prepare(claimed, runnable)
    this.#succeed(run)
    try {
      // A cancel may have been requested before this node learned that its claim was written.
      run.update(claimed)
      if (isMissed()) void this.#look(run)
      if (this.#isShuttingDown) abortForShutdown(run)
      // The claim may have been written long after it began: other nodes may have declared this node dead by then, and run the task.
      if (!this.#node.lease.isHeldSince(begunAt)) run.loseLease(false)
      await this.#settle(run, await run.run(runnable))
    } catch (error) {
      await this.#fail(run, error)
    }
  }

  /** Reads a running task again if a notice carries a later version. */
  hear(taskId: TaskId, version: number): void {
    const run = this.#runs.get(taskId)
    if (run !== undefined && run.aggregate.state.version < version) void this.#look(run)
  }

  /** Reads every running task again: notices may have been missed. */
  lookAtAll(): void {
    for (const run of this.#runs.values()) void this.#look(run)
  }

  /** Aborts every body, also those that start later: this node shuts down. */
  shutDown(): void {
    this.#isShuttingDown = true
    for (const run of this.#runs.values()) abortForShutdown(run)
  }

  /**
   * Aborts the bodies, except those with `onLeaseLost: 'finish'`: other nodes may have declared this node dead, and may run its tasks.
   * `isCrash` says whether this process stood still: then one of the bodies may be the cause, and the attempts count as crashes.
   */
  loseLease(isCrash: boolean): void {
    for (const run of this.#runs.values()) run.loseLease(isCrash)
  }

  /** Replaces an older attempt of the same task, which was ended elsewhere while its body went on here. */
  #succeed(run: TaskRun): void {
    const zombie = this.#runs.get(run.taskId)
    if (zombie !== undefined) {
      zombie.update(run.aggregate)
      this.#forget(zombie)
    }
    this.#runs.set(run.taskId, run)
  }

  #forget(run: TaskRun): void {
    // A later attempt of the same task may have replaced this one.
    if (this.#runs.get(run.taskId) !== run) return
    this.#runs.delete(run.taskId)
    this.#reports.forget(run.taskId)
  }

  async #prepare(claimed: Aggregate, runnable: RunnableTask): Promise<TaskRun> {
    const { details, state } = claimed
    if (details === undefined) throw new TypeError('a claimed task has details')
    const { taskId, createdAt, type, labels, timeoutMs } = details
    const { clock, logger } = this.#node
    const run: TaskRun = new TaskRun(
      {
        taskId,
        type,
        attempt: state.attempt,
        fence: state.fence,
        labels,
        timeoutMs,
        graceMs: this.#settings.cancelGraceMs,
        lastProgress: state.attempt > 1 ? await this.#lastProgress(details) : undefined,
        logger,
        clock,
        finishesWithoutLease: finishesWithoutLease(runnable),
        onProgress: (progress) => {
          // After a freeze of the process a report may come before the timer that reports the lost lease.
          const { lease } = this.#node
          if (lease.state === 'lost' && !this.#isLapseHarmless()) run.loseLease(lease.hasStoodStill)
          this.#reports.report({ taskId, createdAt }, run.aggregate.state, progress)
        },
      },
      claimed,
    )
    return run
  }

  /** The later of two: the progress in the history, and the saved progress. An attempt that died left its progress only in the latter. */
  async #lastProgress(details: TaskDetails): Promise<TaskProgress | undefined> {
    const inHistory = details.progress as TaskProgress | undefined
    const { storage, commandTimeoutMs, logger } = this.#node
    try {
      const saved = await persist(this.#node, { forMs: commandTimeoutMs }, (signal) => storage.listing.progress(details, { signal }))
      return saved !== undefined && isLaterProgress(saved, inHistory) ? saved : inHistory
    } catch (error) {
      // The last progress helps the next attempt, but the attempt runs without it as well.
      logger.warn({ taskId: details.taskId, err: error }, 'failed to read the last progress: the attempt gets the progress in the history')
      return inHistory
    }
  }

  async #look(run: TaskRun): Promise<void> {
    try {
      const aggregate = await this.#eventSourcing.load(run.taskId, run.aggregate)
      if (aggregate.state.version > run.aggregate.state.version) run.update(aggregate)
    } catch (error) {
      if (!this.#node.closed.aborted) this.#node.logger.warn({ taskId: run.taskId, err: error }, 'failed to read a running task again')
    }
  }

  async #settle(run: TaskRun, ending: Ending): Promise<void> {
    const command = conclusionOf(ending, run, commandBase(this.#node, run.taskId), this.#node.random)
    if (command === undefined) {
      await this.#showEndedElsewhere(run.aggregate)
      return this.#forget(run)
    }
    if (command.type === 'ReleaseTask') await this.#reports.flush(run.taskId)
    await this.#write(run, command)
  }

  /**
   * Only the close of its node leaves an attempt open: then another node declares the attempt dead. Any other error comes from the code
   * between the end of the body and its event, which met a value that nobody expected: the attempt ends as failed.
   */
  async #fail(run: TaskRun, cause: unknown): Promise<void> {
    const { logger, closed } = this.#node
    const { taskId, attempt } = run
    const error = describeError(cause)
    try {
      if (closed.aborted) throw cause
      logger.error({ taskId, attempt, err: errorFrom(error) }, 'writing a failure: the end of an attempt could not be worked out')
      await this.#write(run, this.#failure(run, error))
    } catch {
      logger.error({ taskId, attempt, err: errorFrom(error) }, 'gave up writing the end of an attempt')
      this.#forget(run)
    }
  }

  /** Writes the end of an attempt, if need be later, in the background. Rejects if the node is closed. */
  async #write(run: TaskRun, command: TaskCommand): Promise<void> {
    try {
      await this.#conclude(run, command)
    } catch (error) {
      if (this.#node.closed.aborted) throw error
      const { taskId, attempt } = run
      this.#node.logger.error({ taskId, attempt, err: error }, 'failed to write the end of an attempt: retrying')
      // Retry in the background, so that the slot is free for other tasks.
      void this.#concludeLater(run, command)
    }
  }

  /** No other node ends an attempt of a live node, so this node retries until the end is written or the node closes. */
  async #concludeLater(run: TaskRun, command: TaskCommand): Promise<void> {
    try {
      await persistAnyway(this.#node, () => this.#conclude(run, command, true))
    } catch (error) {
      this.#node.logger.error({ taskId: run.taskId, attempt: run.attempt, err: error }, 'gave up writing the end of an attempt')
      this.#forget(run)
    }
  }

  async #conclude(run: TaskRun, command: TaskCommand, isRetry = false): Promise<void> {
    const outcome = await this.#dispatch(run, command, isRetry)
    const { refused, aggregate, dueInMs } = outcome
    const { details } = aggregate
    logEnd(this.#node, run, outcome)
    if (refused !== undefined) {
      const { taskId, attempt } = run
      this.#node.logger.warn(
        { taskId, attempt, refused, status: details?.status },
        'dropped the end of an attempt: it was ended elsewhere before',
      )
      await this.#showEndedElsewhere(aggregate)
    } else if (details?.status === 'waiting') await this.#sender.send(details, { dueInMs })
    this.#forget(run)
  }

  /**
   * Saves the row: the node that ended the attempt may have died before it saved the row. Then the row still names this live node as the
   * runner, and no janitor examines the task.
   */
  async #showEndedElsewhere({ details }: Aggregate): Promise<void> {
    if (details !== undefined) await this.#publisher.saveRow(details)
  }

  /** Writes the end of an attempt. If the store refuses the end for a lasting reason, it writes a failure with that reason instead. */
  async #dispatch(run: TaskRun, command: TaskCommand, isRetry: boolean): Promise<Outcome> {
    const options = { known: run.aggregate, persistence: untilClosed }
    try {
      return await this.#eventSourcing.dispatch(command, options)
    } catch (error) {
      if (this.#node.closed.aborted || hasCode(error, 'UNKNOWN_EVENT_TYPE')) throw error
      const fields = { taskId: run.taskId, attempt: run.attempt, err: error }
      if (isRetry) this.#node.logger.debug(fields, 'writing a failure again: the store still refuses the end of an attempt')
      else this.#node.logger.error(fields, 'writing a failure: the store refused the end of an attempt')
      return this.#eventSourcing.dispatch(this.#failure(run, describeError(error)), options)
    }
  }

  /** A final failure: another attempt would fail the same way. */
  #failure({ taskId, attempt }: TaskRun, error: TaskError): TaskCommand {
    return { type: 'FailTask', ...commandBase(this.#node, taskId), attempt, error, retryable: false, random: 0 }
  }
}

/** A factory of the user made the runnable: it may be anything. */
const finishesWithoutLease = (runnable: RunnableTask): boolean => {
  try {
    return runnable.onLeaseLost === 'finish'
  } catch {
    return false
  }
}

const abortForShutdown = (run: TaskRun): void => run.abort('SHUTTING_DOWN', 'the node shuts down: another node runs the task')
