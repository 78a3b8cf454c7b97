import type { TaskId } from '../../domain/task-id.ts'
import { escaped } from './escaped.ts'

/**
 * What a port fails with. A code stays the same from release to release; the message is for people and may change.
 *
 * - `VERSION_CONFLICT` another writer was first
 * - `OUTCOME_UNKNOWN` the call may have happened or not: repeat it
 * - `UNAVAILABLE` the call did not happen, for a reason that may pass: repeat it
 * - `CLOSED` the port, the worker or the manager was closed
 * - `INVALID_CURSOR` the cursor is malformed, or comes from another listing or filter
 * - `UNKNOWN_EVENT_TYPE` a newer release wrote the event
 * - `MALFORMED` a stored event or a message is not what the codec writes
 * - `TOO_LARGE` a value is over its limit
 * - `MISCONFIGURED` the engine refuses what it was given (a password, a keyspace, a vhost, a queue of other arguments). The message
 *   says what to change; repeating the call does not help
 */
export type PortErrorCode = keyof PortErrorByCode

/**
 * A failure with a `code` that programs may branch on. Its message is one line: what comes from outside is escaped. Use
 * {@link hasCode} and not `instanceof`: it works across copies of this package.
 */
export class TaskledgerError<Code extends string = string> extends Error {
  readonly code: Code

  constructor(code: Code, message: string, options?: { readonly cause?: unknown }) {
    super(escaped(message), options)
    this.name = 'TaskledgerError'
    this.code = code
  }
}

/** Another writer was first, or the history was removed and begun again. `actualVersion` is the version that the history has. */
export class VersionConflict extends TaskledgerError<'VERSION_CONFLICT'> {
  readonly taskId: TaskId
  readonly expectedVersion: number
  readonly actualVersion: number

  constructor(taskId: TaskId, expectedVersion: number, actualVersion: number) {
    super(
      'VERSION_CONFLICT',
      actualVersion === expectedVersion
        ? `task ${taskId} has another event at version ${expectedVersion} than the writer knows`
        : `task ${taskId} is at version ${actualVersion}, not at ${expectedVersion}`,
    )
    this.name = 'VersionConflict'
    this.taskId = taskId
    this.expectedVersion = expectedVersion
    this.actualVersion = actualVersion
  }
}

/** This release does not know the type of the event: a newer node wrote it. Leave the task to other nodes. */
export class UnknownEventType extends TaskledgerError<'UNKNOWN_EVENT_TYPE'> {
  readonly eventType: string

  constructor(eventType: string, taskId: string, version: number) {
    super(
      'UNKNOWN_EVENT_TYPE',
      `task ${taskId} has an event of the unknown type "${eventType}" at version ${version}: a newer release wrote it; nothing was changed`,
    )
    this.name = 'UnknownEventType'
    this.eventType = eventType
  }
}

/** No options where there is no cause: an error shows a cause that is `undefined`. */
const causedBy = (cause: unknown): ErrorOptions | undefined => (cause === undefined ? undefined : { cause })

/** Makes the error of a closed port: `CLOSED`. */
export const closedError = (what: string): TaskledgerError<'CLOSED'> => new TaskledgerError('CLOSED', `${what} is closed`)

/** Makes the error of a call that may have happened or not: `OUTCOME_UNKNOWN`. */
export const outcomeUnknown = (what: string, cause?: unknown): TaskledgerError<'OUTCOME_UNKNOWN'> =>
  new TaskledgerError('OUTCOME_UNKNOWN', `${what}: this may have happened or not; repeat it to find out`, causedBy(cause))

/** Makes the error of a call that did not happen, for a reason that may pass: `UNAVAILABLE`. */
export const unavailable = (what: string, cause?: unknown): TaskledgerError<'UNAVAILABLE'> =>
  new TaskledgerError('UNAVAILABLE', what, causedBy(cause))

/** Makes the error of a setting that the engine refuses: `MISCONFIGURED`. The text says what to change. */
export const misconfigured = (what: string, cause?: unknown): TaskledgerError<'MISCONFIGURED'> =>
  new TaskledgerError('MISCONFIGURED', what, causedBy(cause))

/**
 * The program called the framework wrongly: a wrong option, a type registered twice. Correct the program; repeating the call does not
 * help. The `code` is `MISUSE` unless the mistake has a code of its own.
 */
export class MisuseError<Code extends string = string> extends TypeError {
  readonly code: Code

  constructor(code: Code, message: string) {
    super(escaped(message))
    this.name = 'MisuseError'
    this.code = code
  }
}

/** Makes the error of a wrong call: `MISUSE`. */
export const misuse = (message: string): MisuseError<'MISUSE'> => new MisuseError('MISUSE', message)

/** The code of an error; `undefined` if the error has none. Total: a thrown value may be anything, also a proxy or a getter that throws. */
export const codeOf = (error: unknown): string | undefined => {
  try {
    if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
    // Read once: a getter may answer something else the second time.
    const { code } = error
    return typeof code === 'string' ? code : undefined
  } catch {
    return undefined
  }
}

/** The error of each code that a port fails with. */
export interface PortErrorByCode {
  readonly VERSION_CONFLICT: VersionConflict
  readonly OUTCOME_UNKNOWN: TaskledgerError<'OUTCOME_UNKNOWN'>
  readonly UNAVAILABLE: TaskledgerError<'UNAVAILABLE'>
  readonly CLOSED: TaskledgerError<'CLOSED'>
  readonly INVALID_CURSOR: TaskledgerError<'INVALID_CURSOR'>
  readonly UNKNOWN_EVENT_TYPE: UnknownEventType
  readonly MALFORMED: TaskledgerError<'MALFORMED'>
  readonly TOO_LARGE: TaskledgerError<'TOO_LARGE'>
  readonly MISCONFIGURED: TaskledgerError<'MISCONFIGURED'>
}

/** Whether the error has this code. The package root has the same function for all codes. */
export const hasCode = <Code extends PortErrorCode>(error: unknown, code: Code): error is PortErrorByCode[Code] => codeOf(error) === code

/** Whether the program called the framework wrongly: a {@link MisuseError}, whatever its code. Total, like {@link codeOf}. */
export const isMisuse = (error: unknown): error is MisuseError => {
  try {
    return error instanceof TypeError && error.name === 'MisuseError'
  } catch {
    return false
  }
}
