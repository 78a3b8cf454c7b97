import type { TaskCommand } from '../../domain/task-command.ts'
import { isLaterProgress } from '../../domain/task-details.ts'
import type { TaskProgress } from '../../domain/task-event.ts'
import type { TaskId } from '../../domain/task-id.ts'
import { isUnknownEventType } from '../../ports/errors.ts'
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
import { TaskRun } from './task-run.ts'
import type { WorkerSettings } from './settings.ts'

/** Runs claimed tasks on this node, stops them where they should stop, and settles each by one command. */
export class Attempts {
  readonly #node: NodeContext
  readonly #eventSourcing: EventSourcing
  readonly #publisher: Publisher
  readonly #sender: Sender
  readonly #settings: WorkerSettings
  readonly #reports: ProgressReports
  readonly #runs = new Map<TaskId, TaskRun>()
  #isShuttingDown = false

  constructor(parts: {
    readonly node: NodeContext
    readonly eventSourcing: EventSourcing
    readonly publisher: Publisher
    readonly sender: Sender
    readonly settings: WorkerSettings
  }) {
    this.#node = parts.node
    this.#eventSourcing = parts.eventSourcing
    this.#publisher = parts.publisher
    this.#sender = parts.sender
    this.#settings = parts.settings
    this.#reports = new ProgressReports(parts.node, parts.settings.progressIntervalMs)
  }

  get running(): readonly TaskId[] {
    return [...this.#runs.keys()]
  }

  /**
   * Runs a task that this node has claimed, to its settlement. `begunAt` says when the claim was begun (`clock.elapsed()`),
   * `isMissed` whether a notice may have been missed since.
   */
  async run(claimed: Aggregate, runnable: RunnableTask, begunAt: number, isMissed: () => boolean): Promise<void> {
    const run = await this.#prepare(claimed, runnable)
    this.#succeed(run)
    try {
      // Somebody may have wished the task to end before the claim was found to stand.
      run.heed(claimed)
      if (isMissed()) void this.#look(run)
      if (this.#isShuttingDown) abortForShutdown(run)
      // The claim may have been written, or found to stand, long after it was begun: others may think it dead, and run the task.
      if (!this.#node.lease.isHeldSince(begunAt)) run.abort('LEASE_LOST', leaseLost)
      await this.#settle(run, await run.run(runnable))
    } catch (error) {
      // The node closes: the attempt stays open, and its death is declared by others.
      this.#node.logger.error({ taskId: run.taskId, attempt: run.attempt, err: error }, 'the end of an attempt could not be written')
      this.#forget(run)
    }
  }

  /** A notice says that the history of a task is at this version. */
  hear(taskId: TaskId, version: number): void {
    const run = this.#runs.get(taskId)
    if (run !== undefined && run.aggregate.state.version < version) void this.#look(run)
  }

  /** Notices may have been missed. */
  lookAtAll(): void {
    for (const run of this.#runs.values()) void this.#look(run)
  }

  /** Tells every body to stop, now and from now on: the node shuts down. */
  shutDown(): void {
    this.#isShuttingDown = true
    for (const run of this.#runs.values()) abortForShutdown(run)
  }

  /** Others may think this node dead, and run its tasks: what runs here stops, unless it is to finish all the same. */
  loseLease(): void {
    for (const run of this.#runs.values()) abortForLease(run)
  }

  /** Takes the place of an attempt of the same task that was ended elsewhere while its body went on here. */
  #succeed(run: TaskRun): void {
    const zombie = this.#runs.get(run.taskId)
    if (zombie !== undefined) {
      zombie.heed(run.aggregate)
      this.#forget(zombie)
    }
    this.#runs.set(run.taskId, run)
  }

  #forget(run: TaskRun): void {
    // Not that of a later attempt.
    if (this.#runs.get(run.taskId) !== run) return
    this.#runs.delete(run.taskId)
    this.#reports.forget(run.taskId)
  }

  async #prepare(claimed: Aggregate, runnable: RunnableTask): Promise<TaskRun> {
    const { details, state } = claimed
    if (details === undefined) throw new TypeError('a claimed task has details')
    const { taskId, type, labels, timeoutMs } = details
    const { clock, logger } = this.#node
    const run: TaskRun = new TaskRun(
      {
        taskId,
        type,
        attempt: state.attempt,
        labels,
        timeoutMs,
        graceMs: this.#settings.cancelGraceMs,
        lastProgress: state.attempt > 1 ? await this.#lastProgress(taskId, details.progress as TaskProgress | undefined) : undefined,
        logger,
        clock,
        finishesWithoutLease: runnable.onLeaseLost === 'finish',
        onProgress: (progress) => {
          // A node that was frozen may get here before any timer has told it.
          if (this.#node.lease.state === 'lost') abortForLease(run)
          this.#reports.report(taskId, run.aggregate.state.version, progress)
        },
      },
      claimed,
    )
    return run
  }

  /** The later of what the history says and what was reported beside it: an attempt that died said nothing more. */
  async #lastProgress(taskId: TaskId, told: TaskProgress | undefined): Promise<TaskProgress | undefined> {
    const { storage, commandTimeoutMs, logger } = this.#node
    try {
      const saved = await persist(this.#node, { forMs: commandTimeoutMs }, (signal) => storage.listing.progress(taskId, { signal }))
      return saved !== undefined && isLaterProgress(saved, told) ? saved : told
    } catch (error) {
      // Where it was is a help to the next attempt, and no reason to keep it from running.
      logger.warn({ taskId, err: error }, 'the last progress could not be read; the attempt is given what the history has')
      return told
    }
  }

  async #look(run: TaskRun): Promise<void> {
    try {
      const aggregate = await this.#eventSourcing.load(run.taskId, run.aggregate)
      if (aggregate.state.version > run.aggregate.state.version) run.heed(aggregate)
    } catch (error) {
      if (!this.#node.closed.aborted)
        this.#node.logger.warn({ taskId: run.taskId, err: error }, 'a running task could not be looked up again')
    }
  }

  async #settle(run: TaskRun, ending: Ending): Promise<void> {
    const command = conclusionOf(ending, run, commandBase(this.#node, run.taskId), this.#node.random)
    if (command === undefined) {
      await this.#showEndedElsewhere(run.aggregate)
      return this.#forget(run)
    }
    if (command.type === 'ReleaseTask') await this.#reports.flush(run.taskId)
    try {
      await this.#conclude(run, command)
    } catch (error) {
      if (this.#node.closed.aborted) throw error
      const { taskId, attempt } = run
      this.#node.logger.error({ taskId, attempt, err: error }, 'the end of an attempt could not be written and is tried again')
      // The slot need not wait for somebody to mend the store.
      void this.#concludeLater(run, command)
    }
  }

  /** As long as this node lives nobody else ends its attempts: it goes on until the store takes the end, or the node closes. */
  async #concludeLater(run: TaskRun, command: TaskCommand): Promise<void> {
    try {
      await persistAnyway(this.#node, () => this.#conclude(run, command, 'debug'))
    } catch (error) {
      this.#node.logger.error({ taskId: run.taskId, attempt: run.attempt, err: error }, 'the end of an attempt could not be written')
      this.#forget(run)
    }
  }

  async #conclude(run: TaskRun, command: TaskCommand, level: 'error' | 'debug' = 'error'): Promise<void> {
    const { refused, aggregate } = await this.#dispatch(run, command, level)
    const { details } = aggregate
    if (refused !== undefined) {
      const { taskId, attempt } = run
      this.#node.logger.warn({ taskId, attempt, refused, status: details?.status }, 'an attempt ended, but had been ended elsewhere before')
      await this.#showEndedElsewhere(aggregate)
    } else if (details?.status === 'waiting') await this.#sender.send(details)
    this.#forget(run)
  }

  /**
   * Whoever ended the attempt may have died before he could show it: then the list says that it runs on this node, which lives, and
   * nobody would look.
   */
  async #showEndedElsewhere({ details }: Aggregate): Promise<void> {
    if (details !== undefined) await this.#publisher.saveRow(details)
  }

  /** An end that the store does not take, for a reason that lasts, is a failure that says so. */
  async #dispatch(run: TaskRun, command: TaskCommand, level: 'error' | 'debug'): Promise<Outcome> {
    const options = { known: run.aggregate, persistence: untilClosed }
    try {
      return await this.#eventSourcing.dispatch(command, options)
    } catch (error) {
      if (this.#node.closed.aborted || isUnknownEventType(error)) throw error
      this.#node.logger[level](
        { taskId: run.taskId, err: error },
        'the end of an attempt was not taken by the store and is written as a failure',
      )
      const base = { ...commandBase(this.#node, run.taskId), attempt: run.attempt }
      return this.#eventSourcing.dispatch({ type: 'FailTask', ...base, error: describeError(error), retryable: false, random: 0 }, options)
    }
  }
}

const abortForShutdown = (run: TaskRun): void => run.abort('SHUTTING_DOWN', 'the node shuts down; the task goes on elsewhere')

const leaseLost = 'the node could not renew its lease: others may think it dead, and run the task'

const abortForLease = (run: TaskRun): void => {
  if (!run.finishesWithoutLease) run.abort('LEASE_LOST', leaseLost)
}
