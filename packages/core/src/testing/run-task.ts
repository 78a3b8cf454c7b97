import { checkLabels } from '../application/commands/submit-options.ts'
import { TaskAborted } from '../application/node/errors.ts'
import type { TaskId } from '../domain/task-id.ts'
import type { CancelSchedule, Clock } from '../ports/shared/clock.ts'
import type { CheckedOptions, ChecksOf } from '../ports/shared/check-options.ts'
import { anyValue, checkOptions } from '../ports/shared/check-options.ts'
import { checkClock, checkLogger, checkMs, checkSignal, checkWhole, hasMethods, wrongOption } from '../ports/shared/checks.ts'
import { systemClock } from '../ports/shared/clock.ts'
import type { Logger } from '../ports/shared/logger.ts'
import { silentLogger } from '../ports/shared/logger.ts'
import type { RunnableTask, TaskContext, TaskFactory } from '../tasks/task-factory.ts'
import { defaultMaxPayloadBytes, defaultMaxProgressBytes, defaultMaxResultBytes, toJson } from '../tasks/to-json.ts'
import type { PayloadArguments, ProgressOf, ResultOf } from '../tasks/typed-task.ts'

/** The options of a body that runs alone. */
export interface RunTaskOptions<Progress = unknown> {
  /** When the cancellation is requested, in milliseconds after the start. Default: never. */
  readonly cancelAfterMs?: number | undefined
  /** How long the body may go on after its signal was aborted before it is abandoned, in milliseconds. Default 30,000. */
  readonly cancelGraceMs?: number | undefined
  /** The last progress of the attempt before. */
  readonly lastProgress?: Progress | undefined
  /** The attempt that the body sees. Default 1. */
  readonly attempt?: number | undefined
  /** The fencing token that the body sees. Default: the attempt. */
  readonly fence?: number | undefined
  /** The labels of the task. Default: none. */
  readonly labels?: readonly string[] | undefined
  /** When this signal is aborted, the body's signal is, with the same reason. */
  readonly signal?: AbortSignal | undefined
  /** The logger of the body. Default: nothing is logged. */
  readonly logger?: Logger | undefined
  /** Measures `cancelAfterMs` and `cancelGraceMs`. Default: the system clock. */
  readonly clock?: Clock | undefined
}

/** What a body did. */
export interface TaskRunReport<Result = unknown, Progress = unknown> {
  /** How the body ended. `abandoned`: it was still running when its grace was over. */
  readonly ended: 'returned' | 'threw' | 'abandoned'
  /** The returned value, as JSON writes and reads it. */
  readonly result?: Result
  /** The thrown value. */
  readonly error?: unknown
  /** All reports of progress, in order. */
  readonly progress: readonly Progress[]
  /** Whether the signal was aborted before the body ended. */
  readonly aborted: boolean
}

const optionChecks = {
  cancelAfterMs: checkMs,
  cancelGraceMs: checkMs,
  lastProgress: anyValue,
  attempt: (name, value) => checkWhole(name, value, 1, 1_000_000),
  fence: (name, value) => checkWhole(name, value, 1, Number.MAX_SAFE_INTEGER),
  labels: checkLabels,
  signal: checkSignal,
  logger: checkLogger,
  clock: checkClock,
} satisfies ChecksOf<RunTaskOptions>

type CheckedRun = CheckedOptions<typeof optionChecks>

/** The id of a task that runs alone. */
const sampleTaskId = '018cc251-f400-7000-8000-000000000001' as TaskId

/**
 * Runs the body of a task alone, without a manager. Encodes the payload as a submit does, writes and reads it as JSON, decodes it, and runs
 * the body.
 *
 * @throws what a submit throws (`INVALID_PAYLOAD`, `NOT_JSON`, `TOO_LARGE`, `MISUSE`). The report has what the body throws.
 */
export const runTask = async <Task extends TaskFactory>(
  task: Task,
  ...[payload, options = {}]: PayloadArguments<Task, RunTaskOptions<ProgressOf<Task>>>
): Promise<TaskRunReport<ResultOf<Task>, ProgressOf<Task>>> => {
  if (!hasMethods(task, ['encode', 'decode'])) throw wrongOption('the task to run', task, 'what defineTask or implementTask returns')
  const checked = checkOptions('runTask', options, optionChecks)
  const stored = toJson(await task.encode(payload, { maxBytes: defaultMaxPayloadBytes }), 'payload', defaultMaxPayloadBytes)
  const runnable = await task.decode(task.version, stored)
  return runAlone(runnable, checked) as Promise<TaskRunReport<ResultOf<Task>, ProgressOf<Task>>>
}

const runAlone = async (runnable: RunnableTask, options: CheckedRun): Promise<TaskRunReport> => {
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

const contextOf = (options: CheckedRun, signal: AbortSignal, progress: unknown[]): Omit<TaskContext, 'payload'> => {
  const { attempt = 1, fence = attempt, labels = [], lastProgress, logger = silentLogger } = options
  return {
    taskId: sampleTaskId,
    attempt,
    fence,
    labels,
    signal,
    logger,
    lastProgress: lastProgress === undefined ? undefined : toJson(lastProgress, 'lastProgress', defaultMaxProgressBytes),
    progress(value) {
      progress.push(toJson(value, 'progress', defaultMaxProgressBytes))
    },
  }
}
