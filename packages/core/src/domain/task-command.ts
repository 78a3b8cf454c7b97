import type { JsonValue } from './json.ts'
import type { RetryPolicy } from './retry-policy.ts'
import type { EncodedTask, TaskError, TaskProgress } from './task-event.ts'
import type { TaskId } from './task-id.ts'

/** What every command carries: all that the domain may not find out by itself. */
export interface CommandBase {
  readonly taskId: TaskId
  /** When the command is given, in milliseconds since 1970. */
  readonly at: number
  /** The node that gives it. */
  readonly node: string
  /** The ids for the events that it may bring about: no command brings about more than two. */
  readonly eventIds: readonly [string, string]
}

/** Brings a task into being. */
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
}

/** Says that the body returned. */
export interface CompleteTask extends CommandBase {
  readonly type: 'CompleteTask'
  readonly attempt: number
  readonly result?: JsonValue
  readonly progress?: TaskProgress
}

/** Says that the body threw. */
export interface FailTask extends CommandBase {
  readonly type: 'FailTask'
  readonly attempt: number
  readonly error: TaskError
  /** False where another attempt would fail the same way. */
  readonly retryable: boolean
  /** In [0, 1): the chance that goes into the waiting time. */
  readonly random: number
  readonly progress?: TaskProgress
}

/** Wishes the task to end. */
export interface RequestCancel extends CommandBase {
  readonly type: 'RequestCancel'
  readonly by: string
  readonly reason?: string
}

/** Says that the body ended because of the wish, or was abandoned. */
export interface CancelTask extends CommandBase {
  readonly type: 'CancelTask'
  readonly attempt: number
  readonly abandoned?: boolean
  readonly error?: TaskError
  readonly progress?: TaskProgress
}

/** Hands the attempt back: the node shuts down. */
export interface ReleaseTask extends CommandBase {
  readonly type: 'ReleaseTask'
  readonly attempt: number
}

/** Says that the node which ran the attempt is gone. */
export interface DeclareDead extends CommandBase {
  readonly type: 'DeclareDead'
  readonly attempt: number
  readonly diedOn: string
  /** In [0, 1): the chance that goes into the waiting time. */
  readonly random: number
}

/** Every command: what somebody wants to happen to a task. */
export type TaskCommand = CreateTask | StartTask | CompleteTask | FailTask | RequestCancel | CancelTask | ReleaseTask | DeclareDead
