import type { TaskProgress } from '../../domain/task-event.ts'
import { isFinalStatus } from '../../domain/task-status.ts'
import type { TaskId } from '../../domain/task-id.ts'
import type { CancelSchedule, Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import { defaultMaxProgressBytes, toJson } from '../../tasks/to-json.ts'
import type { RunnableTask, TaskContext } from '../../tasks/task-factory.ts'
import type { Aggregate } from '../commands/aggregate.ts'
import type { AbortCode } from '../node/errors.ts'
import { TaskAborted } from '../node/errors.ts'
import type { Ending } from './conclusion.ts'
import { taskLogger } from '../node/logging.ts'

export interface TaskRunOptions {
  readonly taskId: TaskId
  readonly type: string
  readonly attempt: number
  readonly labels: readonly string[]
  readonly timeoutMs: number | undefined
  /** How long a body may go on after its signal was aborted, in milliseconds. */
  readonly graceMs: number
  readonly lastProgress: TaskProgress | undefined
  /** Whether the body goes on where its node has lost its lease. */
  readonly finishesWithoutLease: boolean
  readonly logger: Logger
  readonly clock: Clock
  readonly onProgress: (progress: TaskProgress) => void
}

/** One attempt of a task on this node: its signal, its progress, its time. */
export class TaskRun {
  readonly taskId: TaskId
  readonly attempt: number
  /** What is known of the task; whoever looks it up again puts it here. */
  aggregate: Aggregate
  readonly #options: TaskRunOptions
  readonly #controller = new AbortController()
  readonly #timers = new Set<CancelSchedule>()
  #abandon: ((ending: Ending) => void) | undefined
  #progress: TaskProgress | undefined
  #sequence = 0
  #isEnded = false
  #isLeavingBehind = false

  constructor(options: TaskRunOptions, aggregate: Aggregate) {
    this.taskId = options.taskId
    this.attempt = options.attempt
    this.aggregate = aggregate
    this.#options = options
    this.#progress = options.lastProgress
  }

  /** The latest progress: of this attempt, or of the one before. */
  get progress(): TaskProgress | undefined {
    return this.#progress
  }

  get finishesWithoutLease(): boolean {
    return this.#options.finishesWithoutLease
  }

  /** Why the signal was aborted, or nothing where it was not. */
  get aborted(): TaskAborted | undefined {
    return this.#controller.signal.aborted ? (this.#controller.signal.reason as TaskAborted) : undefined
  }

  /** Runs the body to its end, or until it is abandoned. Never rejects. */
  async run(runnable: RunnableTask): Promise<Ending> {
    // A body that is to stop before it began is not begun: it might only listen for the abort that has been.
    if (this.aborted !== undefined) return this.#end({ type: 'threw', thrown: this.aborted })
    const { timeoutMs } = this.#options
    if (timeoutMs !== undefined) this.#after(timeoutMs, () => this.abort('TIMED_OUT', `the attempt took longer than ${timeoutMs} ms`))
    return new Promise<Ending>((resolve) => {
      const end = (ending: Ending): void => resolve(this.#end(ending))
      this.#abandon = end
      this.#runBody(runnable).then(
        (value) => end({ type: 'returned', value }),
        (thrown: unknown) => end({ type: 'threw', thrown }),
      )
    })
  }

  /** Tells the body to stop. One that goes on past its grace is abandoned, unless only the lease was lost. The first reason stays. */
  abort(code: AbortCode, message: string): void {
    if (this.aborted !== undefined) {
      // The body that was left its time is left no more of it than any other.
      if (this.aborted.code === 'LEASE_LOST' && code !== 'LEASE_LOST' && code !== 'TIMED_OUT') this.#abandonLater()
      return
    }
    // Without a lease a body is left the time it takes: where it is still its node's to run, to run it elsewhere would be once too often.
    if (code !== 'LEASE_LOST') this.#abandonLater()
    this.#controller.abort(new TaskAborted(code, message))
  }

  #abandonLater(): void {
    // A wish that comes while the end is being written finds no body to wait for.
    if (this.#isEnded || this.#isLeavingBehind) return
    this.#isLeavingBehind = true
    this.#after(this.#options.graceMs, () => this.#abandon?.({ type: 'abandoned' }))
  }

  /** Acts upon what the history says by now: the wish to cancel, or that the attempt is no longer this node's. */
  heed(aggregate: Aggregate): void {
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
    return runnable.run(this.#context())
  }

  #context(): Omit<TaskContext, 'payload'> {
    const { taskId, type, attempt, labels, lastProgress, logger } = this.#options
    let bound: Logger | undefined
    return {
      taskId,
      attempt,
      labels: [...labels],
      signal: this.#controller.signal,
      lastProgress: lastProgress?.value,
      progress: (value) => this.#report(value),
      get logger(): Logger {
        return (bound ??= taskLogger(logger, { taskId, type, attempt }))
      },
    }
  }

  #report(value: unknown): void {
    // A body that was abandoned, or left something running, reports of an attempt that is over.
    if (this.#isEnded) return
    const { attempt, clock, onProgress } = this.#options
    const kept = toJson(value, 'progress', defaultMaxProgressBytes)
    // A body that was left behind, or whose attempt was ended elsewhere, speaks for no attempt.
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
