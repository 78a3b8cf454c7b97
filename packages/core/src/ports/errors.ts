import type { TaskId } from '../domain/task-id.ts'

/**
 * What a failure is, in one word that stays the same from release to release. The message is for people and may change.
 *
 * - `VERSION_CONFLICT` another writer was first
 * - `OUTCOME_UNKNOWN` it may have happened or not: repeat it
 * - `UNAVAILABLE` it did not happen, for a reason that may pass: repeat it
 * - `CLOSED` the port, the worker or the manager was closed
 * - `INVALID_CURSOR` the cursor is malformed, or comes from another listing or filter
 * - `UNKNOWN_EVENT_TYPE` a newer release wrote the event
 * - `MALFORMED` a stored event or a message is not what the codec writes
 * - `TOO_LARGE` a value is over its limit
 * - `MISCONFIGURED` the engine refuses what it was given (a password, a keyspace, a vhost, a queue of other arguments): the
 *   message says what to mend; repeating it is of no use
 */
export type PortErrorCode =
  | 'VERSION_CONFLICT'
  | 'OUTCOME_UNKNOWN'
  | 'UNAVAILABLE'
  | 'CLOSED'
  | 'INVALID_CURSOR'
  | 'UNKNOWN_EVENT_TYPE'
  | 'MALFORMED'
  | 'TOO_LARGE'
  | 'MISCONFIGURED'

/**
 * A failure with a `code` that programs may branch on. Use the guards ({@link isVersionConflict} and its like) rather than
 * `instanceof`: they hold across several copies of this package.
 */
export class TaskledgerError<Code extends string = string> extends Error {
  readonly code: Code

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'TaskledgerError'
    this.code = code
  }
}

/** Another writer was first. `actualVersion` is the version that the history has. */
export class VersionConflict extends TaskledgerError<'VERSION_CONFLICT'> {
  readonly taskId: TaskId
  readonly expectedVersion: number
  readonly actualVersion: number

  constructor(taskId: TaskId, expectedVersion: number, actualVersion: number) {
    super('VERSION_CONFLICT', `task ${taskId} is at version ${actualVersion}, not at ${expectedVersion}`)
    this.name = 'VersionConflict'
    this.taskId = taskId
    this.expectedVersion = expectedVersion
    this.actualVersion = actualVersion
  }
}

/** The event's type is none that this release knows: a newer node wrote it. Leave the task to others. */
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

/** Makes the error of a closed port: `CLOSED`. */
export const closedError = (what: string): TaskledgerError<'CLOSED'> => new TaskledgerError('CLOSED', `${what} is closed`)

/** Makes the error of a call that may have happened or not: `OUTCOME_UNKNOWN`. */
export const outcomeUnknown = (what: string, cause?: unknown): TaskledgerError<'OUTCOME_UNKNOWN'> =>
  new TaskledgerError('OUTCOME_UNKNOWN', `${what}: it cannot be told whether this happened; repeat it to find out`, { cause })

/**
 * The framework was called in a way that cannot work: a wrong option, a type registered twice. A mistake of the program, to
 * be mended there; trying again is of no use. The `code` is `MISUSE` unless the mistake has a name of its own.
 */
export class MisuseError<Code extends string = string> extends TypeError {
  readonly code: Code

  constructor(code: Code, message: string) {
    super(message)
    this.name = 'MisuseError'
    this.code = code
  }
}

/** Makes the error of a wrong call: `MISUSE`. */
export const misuse = (message: string): MisuseError<'MISUSE'> => new MisuseError('MISUSE', message)

/** The error's code, or nothing where it has none. */
export const codeOf = (error: unknown): string | undefined => {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Whether another writer was first: `VERSION_CONFLICT`. */
export const isVersionConflict = (error: unknown): error is VersionConflict => codeOf(error) === 'VERSION_CONFLICT'

/** Whether it cannot be told if it happened: `OUTCOME_UNKNOWN`. Repeat it. */
export const isOutcomeUnknown = (error: unknown): boolean => codeOf(error) === 'OUTCOME_UNKNOWN'

/** Whether what was called is closed: `CLOSED`. */
export const isClosed = (error: unknown): boolean => codeOf(error) === 'CLOSED'

/** Whether a newer release wrote the event: `UNKNOWN_EVENT_TYPE`. */
export const isUnknownEventType = (error: unknown): error is UnknownEventType => codeOf(error) === 'UNKNOWN_EVENT_TYPE'

/** Whether the cursor is malformed or belongs to another filter: `INVALID_CURSOR`. */
export const isInvalidCursor = (error: unknown): boolean => codeOf(error) === 'INVALID_CURSOR'

/** Whether the framework was called in a way that cannot work: a {@link MisuseError}. */
export const isMisuse = (error: unknown): error is MisuseError => error instanceof TypeError && error.name === 'MisuseError'
