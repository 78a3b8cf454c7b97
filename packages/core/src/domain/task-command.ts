import type { JsonValue } from './json.ts'
import type { RetryPolicy } from './retry-policy.ts'
import type { EncodedTask, TaskError, TaskProgress } from './task-event.ts'
import type { TaskId } from './task-id.ts'

/** The properties of every command: all that the domain cannot find out by itself. */
export interface CommandBase {
  readonly taskId: TaskId
  /** When the command is given, in milliseconds since 1970. */
  readonly at: number
  /** The node that gives the command. */
  readonly node: string
  /** The ids for its events: no command causes more than two. */
  readonly eventIds: readonly [string, string]
}

/** Creates a task. */
export interface CreateTask extends CommandBase {
  readonly type: 'CreateTask'
  readonly task: EncodedTask
  readonly queue: string
  readonly retry: RetryPolicy
  readonly timeoutMs?: number
  readonly notBefore?: number
  readonly labels: readonly string[]
  readonly idempotencyKey?: string
  readonly retryOf?: TaskId
}

/** Claims the task for the node that gives the command. */
export interface StartTask extends CommandBase {
  readonly type: 'StartTask'
  /** The least fencing token of the attempt. Default `at`. */
  readonly fence?: number
  /** At this version the task is due, whatever the time: the node that sent the message of this version has waited until then. */
  readonly dueVersion?: number
  /** Now, by the clock that set the due time, in milliseconds since 1970. Default: `at`. */
  readonly dueBy?: number
}

/** The body returned. */
export interface CompleteTask extends CommandBase {
  readonly type: 'CompleteTask'
  readonly attempt: number
  readonly result?: JsonValue
  readonly progress?: TaskProgress
}

/** The body threw. */
export interface FailTask extends CommandBase {
  readonly type: 'FailTask'
  readonly attempt: number
  readonly error: TaskError
  /** False if another attempt would fail the same way. */
  readonly retryable: boolean
  /** In [0, 1): the random number of the jitter. */
  readonly random: number
  readonly progress?: TaskProgress
}

/** Requests that the task end. */
export interface RequestCancel extends CommandBase {
  readonly type: 'RequestCancel'
  readonly by: string
  readonly reason?: string
}

/** The body ended because of the request, or was abandoned. */
export interface CancelTask extends CommandBase {
  readonly type: 'CancelTask'
  readonly attempt: number
  readonly abandoned?: boolean
  readonly error?: TaskError
  readonly progress?: TaskProgress
}

/** Releases the attempt: the node shuts down, or has lost its lease. */
export interface ReleaseTask extends CommandBase {
  readonly type: 'ReleaseTask'
  readonly attempt: number
  /** `leaseLost`: the node stood still, perhaps because of the body, so the attempt counts as a crash. */
  readonly reason?: 'leaseLost'
  readonly progress?: TaskProgress
}

/** The node of the attempt is gone. */
export interface DeclareDead extends CommandBase {
  readonly type: 'DeclareDead'
  readonly attempt: number
  readonly diedOn: string
  /** The last report that was saved. */
  readonly progress?: TaskProgress
  /** In [0, 1): the random number of the jitter. */
  readonly random: number
}

/** Every command of a task. */
export type TaskCommand = CreateTask | StartTask | CompleteTask | FailTask | RequestCancel | CancelTask | ReleaseTask | DeclareDead
