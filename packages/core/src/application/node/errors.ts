import type { TaskDetails } from '../../domain/task-details.ts'
import type { TaskId } from '../../domain/task-id.ts'
import { codeOf, TaskledgerError } from '../../ports/shared/errors.ts'

/** No task has this id: the task never existed, or was removed. */
export class TaskNotFound extends TaskledgerError<'TASK_NOT_FOUND'> {
  readonly taskId: TaskId

  constructor(taskId: TaskId) {
    super('TASK_NOT_FOUND', `there is no task ${taskId}: check the id; the task never existed here, or was removed`)
    this.name = 'TaskNotFound'
    this.taskId = taskId
  }
}

/** The task has another type than the definition that its handle was made with. Nothing was done. */
export class TypeMismatch extends TaskledgerError<'TYPE_MISMATCH'> {
  readonly taskId: TaskId
  /** The type of the definition. */
  readonly expectedType: string
  /** The type of the task. */
  readonly actualType: string

  constructor(taskId: TaskId, expectedType: string, actualType: string) {
    super(
      'TYPE_MISMATCH',
      `task ${taskId} has the type "${actualType}", and its handle was made for the type "${expectedType}": nothing was done; ` +
        'check where the id comes from',
    )
    this.name = 'TypeMismatch'
    this.taskId = taskId
    this.expectedType = expectedType
    this.actualType = actualType
  }
}

/** The queue has no such dead letter: it was sent again or removed, or another client is reading it. */
export class DeadLetterNotFound extends TaskledgerError<'DEAD_LETTER_NOT_FOUND'> {
  readonly queue: string
  readonly id: string

  constructor(queue: string, id: string) {
    super(
      'DEAD_LETTER_NOT_FOUND',
      `the queue "${queue}" has no dead letter ${id}: list them again; it was sent again or removed, or another client is reading it`,
    )
    this.name = 'DeadLetterNotFound'
    this.queue = queue
    this.id = id
  }
}

/** The submit was not acknowledged: the task may exist or not. Submit again with an idempotency key to find out, or look the id up. */
export class SubmitUnknown extends TaskledgerError<'OUTCOME_UNKNOWN'> {
  readonly taskId: TaskId

  constructor(taskId: TaskId, cause: unknown) {
    super(
      'OUTCOME_UNKNOWN',
      `the submit of task ${taskId} was not acknowledged: the task may exist or not; ` +
        'look its id up, or submit it again (an idempotency key makes that safe)',
      { cause },
    )
    this.name = 'SubmitUnknown'
    this.taskId = taskId
  }
}

/** The idempotency key was used before, with another payload. The task of that first submit is unchanged. */
export class IdempotencyMismatch extends TaskledgerError<'IDEMPOTENCY_MISMATCH'> {
  readonly taskId: TaskId

  constructor(taskId: TaskId, key: string, options?: { readonly cause?: unknown }) {
    const payload = options === undefined ? 'another payload' : 'a payload that this node cannot compare, see "cause"'
    super(
      'IDEMPOTENCY_MISMATCH',
      `the idempotency key "${key}" was used before with ${payload}, for task ${taskId}: use another key`,
      options,
    )
    this.name = 'IdempotencyMismatch'
    this.taskId = taskId
  }
}

/** Some tasks of a `submitMany` were not acknowledged. */
export class SubmitIncomplete extends TaskledgerError<'SUBMIT_INCOMPLETE'> {
  /** The tasks that were acknowledged. */
  readonly submitted: readonly TaskId[]
  /** The index of each payload whose task was not acknowledged, and the error. */
  readonly failures: readonly { readonly index: number; readonly error: unknown }[]

  constructor(submitted: readonly TaskId[], failures: readonly { readonly index: number; readonly error: unknown }[]) {
    super(
      'SUBMIT_INCOMPLETE',
      `${failures.length} of ${submitted.length + failures.length} tasks were not acknowledged: "failures" says which and why`,
      {
        cause: failures[0]?.error,
      },
    )
    this.name = 'SubmitIncomplete'
    this.submitted = submitted
    this.failures = failures
  }
}

/** The task did not end within the timeout. The task goes on. */
export class AwaitTimeout extends TaskledgerError<'AWAIT_TIMEOUT'> {
  readonly taskId: TaskId

  constructor(taskId: TaskId, timeoutMs: number) {
    super('AWAIT_TIMEOUT', `task ${taskId} did not end within ${timeoutMs} ms: wait again, the task goes on`)
    this.name = 'AwaitTimeout'
    this.taskId = taskId
  }
}

/** The code of a task that ended without a result. */
export type UnsuccessfulCode = 'TASK_FAILED' | 'TASK_CANCELLED' | 'TASK_DIED'

/** The task has no result: it failed, was cancelled or died. `details` has the task as it ended. */
export class TaskUnsuccessful<Code extends UnsuccessfulCode = UnsuccessfulCode> extends TaskledgerError<Code> {
  readonly details: TaskDetails

  constructor(code: Code, message: string, details: TaskDetails) {
    super(code, message)
    this.name = 'TaskUnsuccessful'
    this.details = details
  }
}

/** The error of a final task that did not complete: `TASK_FAILED`, `TASK_CANCELLED` or `TASK_DIED`. */
export const unsuccessful = (details: TaskDetails): TaskUnsuccessful => {
  const { taskId, type, status, error, cancelReason } = details
  const task = `task ${taskId} (${type})`
  if (status === 'cancelled')
    return new TaskUnsuccessful('TASK_CANCELLED', `${task} was cancelled${cancelReason === undefined ? '' : `: ${cancelReason}`}`, details)
  if (status === 'died') return new TaskUnsuccessful('TASK_DIED', `${task} died: ${error?.message ?? 'its node stopped'}`, details)
  return new TaskUnsuccessful('TASK_FAILED', `${task} failed: ${error?.message ?? 'no reason is known'}`, details)
}

/** Why a task's signal was aborted. */
export type AbortCode = 'CANCEL_REQUESTED' | 'TIMED_OUT' | 'SHUTTING_DOWN' | 'ATTEMPT_LOST' | 'LEASE_LOST'

/** The error with which a task's signal was aborted. `code` says why. */
export class TaskAborted<Code extends AbortCode = AbortCode> extends TaskledgerError<Code> {
  constructor(code: Code, message: string) {
    super(code, message)
    this.name = 'TaskAborted'
  }
}

/** Whether the awaited task failed: `TASK_FAILED`. */
export const isTaskFailed = (error: unknown): error is TaskUnsuccessful<'TASK_FAILED'> => codeOf(error) === 'TASK_FAILED'

/** Whether the awaited task was cancelled: `TASK_CANCELLED`. */
export const isTaskCancelled = (error: unknown): error is TaskUnsuccessful<'TASK_CANCELLED'> => codeOf(error) === 'TASK_CANCELLED'

/** Whether the awaited task died with its node: `TASK_DIED`. */
export const isTaskDied = (error: unknown): error is TaskUnsuccessful<'TASK_DIED'> => codeOf(error) === 'TASK_DIED'

/** Whether the error is the reason of a task's signal: a {@link TaskAborted}, whatever its code. */
export const isTaskAborted = (error: unknown): error is TaskAborted => abortCodes.has(codeOf(error))

const abortCodes: ReadonlySet<string | undefined> = new Set<AbortCode>([
  'CANCEL_REQUESTED',
  'TIMED_OUT',
  'SHUTTING_DOWN',
  'ATTEMPT_LOST',
  'LEASE_LOST',
])
