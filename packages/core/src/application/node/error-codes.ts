import type { TaskId } from '../../domain/task-id.ts'
import type { MisuseError, PortErrorByCode, TaskledgerError } from '../../ports/shared/errors.ts'
import { codeOf } from '../../ports/shared/errors.ts'
import type { UnknownTaskVersion } from '../../tasks/stored-payload.ts'
import type { InvalidValue } from '../../tasks/validate.ts'
import type {
  AwaitTimeout,
  DeadLetterNotFound,
  IdempotencyMismatch,
  SubmitIncomplete,
  TaskAborted,
  TaskNotFound,
  TaskUnsuccessful,
  TypeMismatch,
} from './errors.ts'

/** The error of each code. docs/reference/errors.md says when each of them occurs. */
export interface ErrorByCode extends PortErrorByCode {
  readonly MISUSE: MisuseError<'MISUSE'>
  readonly ALREADY_REGISTERED: MisuseError<'ALREADY_REGISTERED'>
  readonly ADAPTER_MISSING: TaskledgerError<'ADAPTER_MISSING'>
  readonly INVALID_PAYLOAD: InvalidValue<'INVALID_PAYLOAD'>
  readonly INVALID_RESULT: InvalidValue<'INVALID_RESULT'>
  readonly INVALID_PROGRESS: InvalidValue<'INVALID_PROGRESS'>
  readonly NOT_JSON: TaskledgerError<'NOT_JSON'>
  readonly UNKNOWN_TASK_TYPE: TaskledgerError<'UNKNOWN_TASK_TYPE'>
  readonly UNKNOWN_TASK_VERSION: UnknownTaskVersion
  readonly IDEMPOTENCY_MISMATCH: IdempotencyMismatch
  /** The error of an unacknowledged submit carries the id of the task. */
  readonly OUTCOME_UNKNOWN: TaskledgerError<'OUTCOME_UNKNOWN'> & { readonly taskId?: TaskId }
  readonly SUBMIT_INCOMPLETE: SubmitIncomplete
  readonly INVALID_TASK_ID: TaskledgerError<'INVALID_TASK_ID'>
  readonly TASK_NOT_FOUND: TaskNotFound
  readonly TYPE_MISMATCH: TypeMismatch
  readonly DEAD_LETTER_NOT_FOUND: DeadLetterNotFound
  readonly TASK_FAILED: TaskUnsuccessful<'TASK_FAILED'>
  readonly TASK_CANCELLED: TaskUnsuccessful<'TASK_CANCELLED'>
  readonly TASK_DIED: TaskUnsuccessful<'TASK_DIED'>
  readonly AWAIT_TIMEOUT: AwaitTimeout
  readonly CANCEL_REQUESTED: TaskAborted<'CANCEL_REQUESTED'>
  readonly TIMED_OUT: TaskAborted<'TIMED_OUT'>
  readonly SHUTTING_DOWN: TaskAborted<'SHUTTING_DOWN'>
  readonly ATTEMPT_LOST: TaskAborted<'ATTEMPT_LOST'>
  readonly LEASE_LOST: TaskAborted<'LEASE_LOST'>
  readonly NOT_SETTLED: TaskledgerError<'NOT_SETTLED'>
}

/** Every code that an error of the framework can have. */
export type ErrorCode = keyof ErrorByCode

/**
 * Whether the error has this code; inside the `if` the error has the properties that belong to the code. Unlike `instanceof`, this
 * works across copies of this package.
 */
export const hasCode = <Code extends ErrorCode>(error: unknown, code: Code): error is ErrorByCode[Code] => codeOf(error) === code
