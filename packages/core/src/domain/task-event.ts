import type { JsonValue } from './json.ts'
import { never } from './never.ts'
import type { RetryPolicy } from './retry-policy.ts'
import type { TaskId } from './task-id.ts'
import type { TaskStatus } from './task-status.ts'
import { isFinalStatus } from './task-status.ts'

/** The properties of every event. */
export interface EventBase {
  readonly taskId: TaskId
  /** The position in the history: the first event has version 1. */
  readonly version: number
  /** The id of the event, by which a writer recognises its own write. */
  readonly eventId: string
  /** When the event happened, in milliseconds since 1970, by the clock of the node that wrote it. */
  readonly at: number
  /** The node that wrote the event. */
  readonly node: string
}

/** A task as its factory encoded it. Only the factory reads the payload. */
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
  /** The number of the report within its attempt; the higher number is the later report. */
  readonly sequence: number
  /** When the progress was reported, in milliseconds since 1970. */
  readonly at: number
  readonly value: Progress
}

/** The task exists and waits for a worker. */
export interface TaskCreated extends EventBase {
  readonly type: 'TaskCreated'
  readonly task: EncodedTask
  /** The queue that carries it to a worker. */
  readonly queue: string
  readonly retry: RetryPolicy
  /** How long one attempt may take, in milliseconds. */
  readonly timeoutMs?: number
  /** The earliest start, in milliseconds since 1970. */
  readonly notBefore?: number
  readonly labels: readonly string[]
  readonly idempotencyKey?: string
  /** The task that this task repeats. */
  readonly retryOf?: TaskId
}

/** A node claimed the task: attempt 1, 2, … */
export interface TaskStarted extends EventBase {
  readonly type: 'TaskStarted'
  readonly attempt: number
  /** The fencing token of the attempt. Absent in the histories of older releases: then it follows from `at`. */
  readonly fence?: number
}

/** The cancellation of the task was requested. */
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

/** The task is cancelled. Final. */
export interface TaskCancelled extends EventBase {
  readonly type: 'TaskCancelled'
  /** The attempt that was running; absent if none was. */
  readonly attempt?: number
  /** The body did not react to its signal and was abandoned. */
  readonly abandoned?: boolean
  readonly error?: TaskError
  readonly progress?: TaskProgress
}

/** The node that ran the task stopped. Final unless `retryAt` says when it runs again. */
export interface TaskDied extends EventBase {
  readonly type: 'TaskDied'
  readonly attempt: number
  /** The node that stopped, or stood still. */
  readonly diedOn: string
  /** Absent if the node is gone. `leaseLost`: the node goes on, but it stood still and lost its lease, once too often for the task. */
  readonly reason?: 'leaseLost'
  /** The last report of the attempt, if it was saved. */
  readonly progress?: TaskProgress
  readonly retryAt?: number
}

/** A node released the attempt: another node may start the next one at once. */
export interface TaskReleased extends EventBase {
  readonly type: 'TaskReleased'
  readonly attempt: number
  /** Absent if the node shuts down, for example: then the attempt does not count. `leaseLost`: the node stood still, which counts as a crash. */
  readonly reason?: 'leaseLost'
  /** The last report of the attempt, with a reason only. */
  readonly progress?: TaskProgress
}

/** Every event of a task. */
export type TaskEvent =
  | TaskCreated
  | TaskStarted
  | TaskCancelRequested
  | TaskCompleted
  | TaskFailed
  | TaskCancelled
  | TaskDied
  | TaskReleased

/** The status after an event. It depends on the event alone. */
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

/** Whether the status is final after this event. */
export const isFinalEvent = (event: TaskEvent): boolean => isFinalStatus(statusAfter(event))
