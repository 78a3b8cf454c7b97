import { TaskAborted } from '../application/node/errors.ts'
import type { TaskId } from '../domain/task-id.ts'
import type { CancelSchedule, Clock } from '../ports/clock.ts'
import { systemClock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import { silentLogger } from '../ports/logger.ts'
import type { RunnableTask, TaskContext, TaskFactory } from '../tasks/task-factory.ts'
import { defaultMaxPayloadBytes, defaultMaxProgressBytes, defaultMaxResultBytes, toJson } from '../tasks/to-json.ts'
import type { PayloadArguments, ProgressOf, ResultOf } from '../tasks/typed-task.ts'

/** How a body is run alone. */
export interface RunTaskOptions<Progress = unknown> {
  /** Requests the cancellation after so many milliseconds. Default: never. */
  readonly cancelAfterMs?: number | undefined
  /** How long the body may go on after its signal was aborted before it is left behind. Default 30,000. */
  readonly cancelGraceMs?: number | undefined
  /** The last progress of the attempt before. */
  readonly lastProgress?: Progress | undefined
  /** Default 1. */
  readonly attempt?: number | undefined
  /** Default: none. */
  readonly labels?: readonly string[] | undefined
  /** Aborts the body's signal, with its reason. */
  readonly signal?: AbortSignal | undefined
  /** Default: nothing is logged. */
  readonly logger?: Logger | undefined
  /** The time of `cancelAfterMs` and `cancelGraceMs`. Default: the machine's. */
  readonly clock?: Clock | undefined
}

/** What a body did. */
export interface TaskRunReport<Result = unknown, Progress = unknown> {
  /** How it ended. `abandoned`: it did not, within its grace. */
  readonly ended: 'returned' | 'threw' | 'abandoned'
  /** What it returned, as JSON brings it back. */
  readonly result?: Result
  /** What it threw. */
  readonly error?: unknown
  /** Everything that it reported, in order. */
  readonly progress: readonly Progress[]
  /** Whether its signal was aborted before it ended. */
  readonly aborted: boolean
}

/** The task that a body runs as, where it runs alone. */
const sampleTaskId = '018cc251-f400-7000-8000-000000000001' as TaskId

/**
 * Runs the body of a task alone, without a manager: encodes the payload as a submit would, brings it through JSON, decodes
 * it, and runs it.
 *
 * @throws what a submit would throw (`INVALID_PAYLOAD`, `NOT_JSON`, `TOO_LARGE`); what the body throws is reported.
 */
export const runTask = async <Task extends TaskFactory>(
  task: Task,
  ...[payload, options = {}]: PayloadArguments<Task, RunTaskOptions<ProgressOf<Task>>>
): Promise<TaskRunReport<ResultOf<Task>, ProgressOf<Task>>> => {
  const stored = toJson(await task.encode(payload), 'payload', defaultMaxPayloadBytes)
  const runnable = await task.decode(task.version, stored)
  return runAlone(runnable, options) as Promise<TaskRunReport<ResultOf<Task>, ProgressOf<Task>>>
}

const runAlone = async (runnable: RunnableTask, options: RunTaskOptions): Promise<TaskRunReport> => {
  const { clock = systemClock, cancelAfterMs, cancelGraceMs = 30_000 } = options
  const controller = new AbortController()
  const { signal } = controller
  const timers: CancelSchedule[] = []
  const progress: unknown[] = []
  const abort = (reason: unknown): void => controller.abort(reason)
  const onAbort = (): void => abort(options.signal?.reason)

  const abandonment = new Promise<TaskRunReport>((resolve) => {
    const abandon = (): void => resolve({ ended: 'abandoned', progress: [...progress], aborted: true })
    signal.addEventListener('abort', () => timers.push(clock.schedule(cancelGraceMs, abandon)), { once: true })
  })
  if (cancelAfterMs !== undefined) {
    const cancel = (): void => abort(new TaskAborted('CANCEL_REQUESTED', 'the test requested the cancellation'))
    timers.push(clock.schedule(cancelAfterMs, cancel))
  }
  if (options.signal?.aborted) onAbort()
  else options.signal?.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([bodyOf(runnable, contextOf(options, signal, progress), progress), abandonment])
  } finally {
    options.signal?.removeEventListener('abort', onAbort)
    for (const cancel of timers) cancel()
  }
}

const bodyOf = async (
  runnable: RunnableTask,
  context: Omit<TaskContext, 'payload'>,
  progress: readonly unknown[],
): Promise<TaskRunReport> => {
  try {
    const value = await runnable.run(context)
    const { aborted } = context.signal
    return value === undefined
      ? { ended: 'returned', progress, aborted }
      : { ended: 'returned', result: toJson(value, 'result', defaultMaxResultBytes), progress, aborted }
  } catch (error) {
    return { ended: 'threw', error, progress, aborted: context.signal.aborted }
  }
}

const contextOf = (options: RunTaskOptions, signal: AbortSignal, progress: unknown[]): Omit<TaskContext, 'payload'> => {
  const { attempt = 1, labels = [], lastProgress, logger = silentLogger } = options
  return {
    taskId: sampleTaskId,
    attempt,
    labels,
    signal,
    logger,
    lastProgress: lastProgress === undefined ? undefined : toJson(lastProgress, 'lastProgress', defaultMaxProgressBytes),
    progress(value) {
      progress.push(toJson(value, 'progress', defaultMaxProgressBytes))
    },
  }
}
