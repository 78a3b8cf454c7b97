import type { JsonValue } from './json.ts'
import { never } from './never.ts'
import type { RetryPolicy } from './retry-policy.ts'
import type { TaskId } from './task-id.ts'
import type { TaskStatus } from './task-status.ts'
import { isFinalStatus } from './task-status.ts'

/** What every event carries. */
export interface EventBase {
  readonly taskId: TaskId
  /** The position in the history: the first event has version 1. */
  readonly version: number
  /** An id of its own, by which a writer recognises its own write. */
  readonly eventId: string
  /** When it happened, in milliseconds since 1970, by the clock of the node that wrote it. */
  readonly at: number
  /** The node that wrote it. */
  readonly node: string
}

/** A task as its factory encoded it. The payload is opaque to everybody else. */
export interface EncodedTask {
  readonly type: string
  /** The version of the task's type that encoded the payload. */
  readonly version: number
  readonly payload: JsonValue
}

/** Why an attempt failed, in a form that can be stored. */
export interface TaskError {
  readonly name: string
  readonly message: string
  readonly stack?: string
  readonly code?: string
}

/** The latest progress that an attempt reported. */
export interface TaskProgress<Progress = JsonValue> {
  readonly attempt: number
  /** Counts the reports of one attempt; a higher one is the later one. */
  readonly sequence: number
  /** When it was reported, in milliseconds since 1970. */
  readonly at: number
  readonly value: Progress
}

/** The task exists and waits to be run. */
export interface TaskCreated extends EventBase {
  readonly type: 'TaskCreated'
  readonly task: EncodedTask
  /** The queue that carries it to a worker. */
  readonly queue: string
  readonly retry: RetryPolicy
  /** How long one attempt may take, in milliseconds. */
  readonly timeoutMs?: number
  /** Not to be started before this time, in milliseconds since 1970. */
  readonly notBefore?: number
  readonly labels: readonly string[]
  readonly idempotencyKey?: string
  /** The task that this one repeats. */
  readonly retryOf?: TaskId
}

/** A node claimed the task: attempt 1, 2, … */
export interface TaskStarted extends EventBase {
  readonly type: 'TaskStarted'
  readonly attempt: number
}

/** Somebody wishes the task to end. */
export interface TaskCancelRequested extends EventBase {
  readonly type: 'TaskCancelRequested'
  readonly by: string
  readonly reason?: string
}

/** The body returned. Final. */
export interface TaskCompleted extends EventBase {
  readonly type: 'TaskCompleted'
  readonly attempt: number
  readonly result?: JsonValue
  readonly progress?: TaskProgress
}

/** The body threw. Final unless `retryAt` says when it runs again. */
export interface TaskFailed extends EventBase {
  readonly type: 'TaskFailed'
  readonly attempt: number
  readonly error: TaskError
  readonly progress?: TaskProgress
  readonly retryAt?: number
}

/** The task was effectively cancelled. Final. */
export interface TaskCancelled extends EventBase {
  readonly type: 'TaskCancelled'
  /** The attempt that was running, if one was. */
  readonly attempt?: number
  /** The body did not heed its signal and was left behind. */
  readonly abandoned?: boolean
  readonly error?: TaskError
  readonly progress?: TaskProgress
}

/** The node that ran the task stopped. Final unless `retryAt` says when it runs again. */
export interface TaskDied extends EventBase {
  readonly type: 'TaskDied'
  readonly attempt: number
  /** The node that stopped. */
  readonly diedOn: string
  readonly retryAt?: number
}

/** A node that shuts down handed its attempt back; it does not count. */
export interface TaskReleased extends EventBase {
  readonly type: 'TaskReleased'
  readonly attempt: number
}

/** Every event: what happened to a task. */
export type TaskEvent =
  | TaskCreated
  | TaskStarted
  | TaskCancelRequested
  | TaskCompleted
  | TaskFailed
  | TaskCancelled
  | TaskDied
  | TaskReleased

/** The status that an event leaves the task in: it follows from the event alone. */
export const statusAfter = (event: TaskEvent): TaskStatus => {
  switch (event.type) {
    case 'TaskCreated':
    case 'TaskReleased':
      return 'waiting'
    case 'TaskStarted':
      return 'inProgress'
    case 'TaskCancelRequested':
      return 'cancelRequested'
    case 'TaskCompleted':
      return 'completed'
    case 'TaskFailed':
      return event.retryAt === undefined ? 'failed' : 'waiting'
    case 'TaskCancelled':
      return 'cancelled'
    case 'TaskDied':
      return event.retryAt === undefined ? 'died' : 'waiting'
    default:
      return never(event)
  }
}

/** Whether the task's status is final after this event. */
export const isFinalEvent = (event: TaskEvent): boolean => isFinalStatus(statusAfter(event))
