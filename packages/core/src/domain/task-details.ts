import { fenceBefore, nextFence } from './fence.ts'
import type { TaskError, TaskEvent, TaskProgress } from './task-event.ts'
import type { TaskId } from './task-id.ts'
import type { TaskStatus } from './task-status.ts'
import { isFinalStatus } from './task-status.ts'

/** Why an attempt failed. */
export interface AttemptError extends TaskError {
  /** The attempt that failed. A later attempt may run, or may have been released. Absent if an older release wrote the row. */
  readonly attempt?: number
}

/** What people read about a task: the fold of its history. All times are in milliseconds since 1970. */
export interface TaskDetails<Result = unknown, Progress = unknown> {
  readonly taskId: TaskId
  readonly type: string
  /** The version of the task's type that encoded the payload. */
  readonly typeVersion: number
  readonly status: TaskStatus
  /** The number of events so far: details with a higher version are later. */
  readonly version: number
  readonly queue: string
  readonly labels: readonly string[]
  readonly createdAt: number
  /** The node that submitted the task. */
  readonly createdOn: string
  /** When the latest event happened. */
  readonly updatedAt: number
  /** The node that wrote the latest event. */
  readonly updatedOn?: string
  /** The latest attempt; 0 before the first. */
  readonly attempt: number
  /** The fencing token of the latest attempt; absent before the first. */
  readonly fence?: number
  /** When a waiting task may start; absent if it may start at once. */
  readonly dueAt?: number
  /** When the latest attempt started; absent if that attempt was released. */
  readonly startedAt?: number
  /** The node of the latest attempt; absent if it has released that attempt. */
  readonly node?: string
  /** How many attempts ended because their process died, or stood still and lost its lease; absent if none did. */
  readonly crashes?: number
  readonly cancelRequestedAt?: number
  /** Who requested the cancellation. */
  readonly cancelRequestedBy?: string
  readonly cancelReason?: string
  /** The body did not react to its signal and was abandoned; it may still be running. */
  readonly abandoned?: boolean
  readonly finishedAt?: number
  readonly result?: Result
  /** Why the latest failed attempt failed. It stays while the next attempts run: `error.attempt` says which attempt it is of. */
  readonly error?: AttemptError
  readonly progress?: TaskProgress<Progress>
  readonly timeoutMs?: number
  readonly idempotencyKey?: string
  readonly retryOf?: TaskId
}

/**
 * One life of a task. After a purge an idempotency key gives the same id again, to a new task: only the creation tells
 * the two apart.
 */
export type TaskLife = Pick<TaskDetails, 'taskId' | 'createdAt'>

/**
 * The details after one more event. Total like `evolve`: an event before `TaskCreated` gives `undefined`.
 */
export const evolveDetails = (details: TaskDetails | undefined, event: TaskEvent): TaskDetails | undefined => {
  if (event.type === 'TaskCreated') return createdDetails(event)
  if (details === undefined) return undefined
  const next = { ...details, version: event.version, updatedAt: event.at, updatedOn: event.node }
  switch (event.type) {
    case 'TaskStarted': {
      const { dueAt: _dueAt, ...rest } = next
      const fence = event.fence ?? nextFence(details.fence ?? fenceBefore(details.createdAt), event.at)
      return { ...rest, status: 'inProgress', attempt: event.attempt, fence, startedAt: event.at, node: event.node }
    }
    case 'TaskCancelRequested': {
      const requested = { ...next, status: 'cancelRequested' as const, cancelRequestedAt: event.at, cancelRequestedBy: event.by }
      return event.reason === undefined ? requested : { ...requested, cancelReason: event.reason }
    }
    case 'TaskCompleted': {
      const { error: _error, ...rest } = withProgress(next, event.progress)
      const finished = { ...rest, status: 'completed' as const, finishedAt: event.at }
      return event.result === undefined ? finished : { ...finished, result: event.result }
    }
    case 'TaskFailed':
      return {
        ...withProgress(next, event.progress),
        error: { ...event.error, attempt: event.attempt },
        ...endOf('failed', event.at, event.retryAt),
      }
    case 'TaskCancelled': {
      const { dueAt: _dueAt, ...rest } = withProgress(next, event.progress)
      const finished = { ...rest, status: 'cancelled' as const, finishedAt: event.at }
      const { abandoned, error, attempt } = event
      return {
        ...finished,
        ...(abandoned === undefined ? {} : { abandoned }),
        ...(error === undefined ? {} : { error: attempt === undefined ? error : { ...error, attempt } }),
      }
    }
    case 'TaskDied': {
      const { diedOn, reason, attempt, progress, at, retryAt } = event
      return { ...crashed(withProgress(next, progress), attempt, diedOn, reason), ...endOf('died', at, retryAt) }
    }
    case 'TaskReleased': {
      const { reason, attempt, progress, node } = event
      const after = reason === undefined ? next : crashed(withProgress(next, progress), attempt, node, reason)
      // The attempt is over and left nothing behind: the task waits as before it.
      const { node: _node, startedAt: _startedAt, ...rest } = after
      return { ...rest, status: 'waiting' }
    }
    default:
      return next
  }
}

/** The details after a whole history; `undefined` if `TaskCreated` is missing. */
export const detailsOf = (events: readonly TaskEvent[]): TaskDetails | undefined =>
  events.reduce<TaskDetails | undefined>(evolveDetails, undefined)

/**
 * The details with the progress that was saved beside the history, if that progress is later. A finished task keeps the progress of its
 * final event.
 */
export const mergeProgress = (details: TaskDetails, progress: TaskProgress | undefined): TaskDetails =>
  isFinalStatus(details.status) ? details : withProgress(details, progress)

/** Whether `a` was reported later than `b`: by attempt, then by sequence. */
export const isLaterProgress = (a: TaskProgress<unknown>, b: TaskProgress<unknown> | undefined): boolean =>
  b === undefined || a.attempt > b.attempt || (a.attempt === b.attempt && a.sequence > b.sequence)

/** Since when a waiting task may run: when it became due, or else its latest event. Milliseconds since 1970. */
export const waitsSince = ({ dueAt, updatedAt }: Pick<TaskDetails, 'dueAt' | 'updatedAt'>): number => dueAt ?? updatedAt

/** The node whose clock set the latest times of a task. A waiting task's message is sent by this node when the task is due. */
export const writerOf = ({ updatedOn, attempt, createdOn, node }: TaskDetails): string =>
  updatedOn ?? (attempt === 0 ? createdOn : (node ?? createdOn))

const withProgress = (details: TaskDetails, progress: TaskProgress | undefined): TaskDetails =>
  progress !== undefined && isLaterProgress(progress, details.progress) ? { ...details, progress } : details

const crashed = (details: TaskDetails, attempt: number, on: string, reason: 'leaseLost' | undefined): TaskDetails => {
  const crashes = (details.crashes ?? 0) + 1
  const error =
    reason === undefined
      ? { name: 'NodeDied', message: `node ${on} stopped while it ran attempt ${attempt}` }
      : {
          name: 'LeaseLost',
          message: `node ${on} stood still and lost its lease while it ran attempt ${attempt}: does the body block the event loop?`,
        }
  return { ...details, crashes, error: { ...error, attempt } }
}

const endOf = (status: 'failed' | 'died', at: number, retryAt: number | undefined): Partial<TaskDetails> & { status: TaskStatus } =>
  retryAt === undefined ? { status, finishedAt: at } : { status: 'waiting', dueAt: retryAt }

const createdDetails = (event: TaskEvent & { type: 'TaskCreated' }): TaskDetails => {
  const { timeoutMs, idempotencyKey, retryOf, notBefore } = event
  return {
    taskId: event.taskId,
    type: event.task.type,
    typeVersion: event.task.version,
    status: 'waiting',
    version: event.version,
    queue: event.queue,
    labels: event.labels,
    createdAt: event.at,
    createdOn: event.node,
    updatedAt: event.at,
    updatedOn: event.node,
    attempt: 0,
    ...(notBefore === undefined ? {} : { dueAt: notBefore }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(retryOf === undefined ? {} : { retryOf }),
  }
}
