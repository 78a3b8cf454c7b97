import type { TaskProgress } from '../../domain/task-event.ts'
import { isFinalStatus } from '../../domain/task-status.ts'
import type { TaskId } from '../../domain/task-id.ts'
import type { CancelSchedule, Clock } from '../../ports/shared/clock.ts'
import type { Logger } from '../../ports/shared/logger.ts'
import { defaultMaxProgressBytes, toJson } from '../../tasks/to-json.ts'
import type { RunnableTask, TaskContext } from '../../tasks/task-factory.ts'
import type { Aggregate } from '../commands/aggregate.ts'
import type { AbortCode } from '../node/errors.ts'
import { inBody } from '../node/body-scope.ts'
import { TaskAborted } from '../node/errors.ts'
import type { Ending } from './conclusion.ts'
import { boundLogger } from '../node/logging.ts'

export interface TaskRunOptions {
  readonly taskId: TaskId
  readonly type: string
  readonly attempt: number
  readonly fence: number
  readonly labels: readonly string[]
  readonly timeoutMs: number | undefined
  /** How long the body may go on after its signal was aborted, in milliseconds. */
  readonly graceMs: number
  readonly lastProgress: TaskProgress | undefined
  /** Whether the body goes on after its node has lost the lease. */
  readonly finishesWithoutLease: boolean
  readonly logger: Logger
  readonly clock: Clock
  readonly onProgress: (progress: TaskProgress) => void
}

/** One attempt of a task on this node: its signal, its progress, its timers. */
export class TaskRun {
  readonly taskId: TaskId
  readonly attempt: number
  /** The task as this node knows it; each later read replaces it. */
  aggregate: Aggregate
  readonly #options: TaskRunOptions
  readonly #controller = new AbortController()
  readonly #timers = new Set<CancelSchedule>()
  #abandon: ((ending: Ending) => void) | undefined
  #progress: TaskProgress | undefined
  #sequence = 0
  #hasBegun = false
  #isEnded = false
  #isCrash = false
  #isGraceRunning = false

  constructor(options: TaskRunOptions, aggregate: Aggregate) {
    this.taskId = options.taskId
    this.attempt = options.attempt
    this.aggregate = aggregate
    this.#options = options
    this.#progress = options.lastProgress
  }

  /** The latest progress, of this attempt or the one before. */
  get progress(): TaskProgress | undefined {
    return this.#progress
  }

  /** Whether the end of the attempt counts as a crash: its process stood still while the body ran, and so lost its lease. */
  get isCrash(): boolean {
    return this.#isCrash
  }

  /** Why the signal was aborted; `undefined` if it was not. */
  get aborted(): TaskAborted | undefined {
    return this.#controller.signal.aborted ? (this.#controller.signal.reason as TaskAborted) : undefined
  }

  /** Runs the body until it ends or is abandoned. Never rejects. */
  async run(runnable: RunnableTask): Promise<Ending> {
    // Do not start a body whose signal is aborted already: the body may wait for the abort event, which has passed.
    if (this.aborted !== undefined) return this.#end({ type: 'threw', thrown: this.aborted })
    this.#hasBegun = true
    const { timeoutMs } = this.#options
    if (timeoutMs !== undefined) this.#after(timeoutMs, () => this.abort('TIMED_OUT', `the attempt timed out after ${timeoutMs} ms`))
    return new Promise<Ending>((resolve) => {
      const end = (ending: Ending): void => resolve(this.#end(ending))
      this.#abandon = end
      this.#runBody(runnable).then(
        (value) => end({ type: 'returned', value }),
        (thrown: unknown) => end({ type: 'threw', thrown }),
      )
    })
  }

  /** Aborts the body with LEASE_LOST, unless it may finish. `isCrash` says whether the process stood still. */
  loseLease(isCrash: boolean): void {
    if (this.#hasBegun && this.#options.finishesWithoutLease) return
    this.#isCrash ||= isCrash && this.#hasBegun && this.aborted === undefined
    this.abort('LEASE_LOST', 'the node lost its lease: another node may run the task')
  }

  /** Aborts the body; the first reason stays. A body that goes on past the grace period is abandoned, except after LEASE_LOST. */
  abort(code: AbortCode, message: string): void {
    if (this.aborted !== undefined) {
      // LEASE_LOST has set no grace timer: a later cancel or shutdown starts the normal grace period.
      if (this.aborted.code === 'LEASE_LOST' && code !== 'LEASE_LOST' && code !== 'TIMED_OUT') this.#abandonLater()
      return
    }
    // No grace timer after LEASE_LOST: this node may still own the attempt, and abandoning the body would start a second run beside it.
    if (code !== 'LEASE_LOST') this.#abandonLater()
    this.#controller.abort(new TaskAborted(code, message))
  }

  #abandonLater(): void {
    // No timer after the end of the body, while that end is being written, and no second timer in a grace period.
    if (this.#isEnded || this.#isGraceRunning) return
    this.#isGraceRunning = true
    this.#after(this.#options.graceMs, () => this.#abandon?.({ type: 'abandoned' }))
  }

  /** Takes a newer state of the task: aborts the body after a cancel request, or if the attempt was ended elsewhere. */
  update(aggregate: Aggregate): void {
    this.aggregate = aggregate
    const { status, attempt } = aggregate.state
    if (status === 'none' || isFinalStatus(status) || status === 'waiting' || attempt !== this.attempt)
      return this.abort('ATTEMPT_LOST', `attempt ${this.attempt} was ended elsewhere: the task is ${status}, at attempt ${attempt}`)
    if (status !== 'cancelRequested') return
    const { cancelRequestedBy, cancelReason } = aggregate.details ?? {}
    this.abort(
      'CANCEL_REQUESTED',
      `${cancelRequestedBy} requested the cancellation${cancelReason === undefined ? '' : `: ${cancelReason}`}`,
    )
  }

  #end(ending: Ending): Ending {
    this.#isEnded = true
    for (const cancel of this.#timers) cancel()
    this.#timers.clear()
    return ending
  }

  async #runBody(runnable: RunnableTask): Promise<unknown> {
    const { taskId, aggregate } = this
    return inBody({ taskId, queue: aggregate.details?.queue ?? '' }, () => runnable.run(this.#context()))
  }

  #context(): Omit<TaskContext, 'payload'> {
    const { taskId, type, attempt, fence, labels, lastProgress, logger } = this.#options
    let bound: Logger | undefined
    return {
      taskId,
      attempt,
      fence,
      labels: [...labels],
      signal: this.#controller.signal,
      lastProgress: lastProgress?.value,
      progress: (value) => this.#report(value),
      get logger(): Logger {
        return (bound ??= boundLogger(logger, { taskId, type, attempt }))
      },
    }
  }

  #report(value: unknown): void {
    // An abandoned body, or work that a body left running, may report after the end.
    if (this.#isEnded) return
    const { attempt, clock, onProgress } = this.#options
    const kept = toJson(value, 'progress', defaultMaxProgressBytes)
    // The value's own code (`toJSON`) may have ended the attempt, and an attempt that was ended elsewhere reports nothing.
    if (this.#isEnded || this.aborted?.code === 'ATTEMPT_LOST') return
    this.#progress = { attempt, sequence: ++this.#sequence, at: clock.now(), value: kept }
    onProgress(this.#progress)
  }

  #after(ms: number, callback: () => void): void {
    const cancel = this.#options.clock.schedule(ms, () => {
      this.#timers.delete(cancel)
      callback()
    })
    this.#timers.add(cancel)
  }
}
