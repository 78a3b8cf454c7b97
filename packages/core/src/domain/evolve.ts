import { withCrash } from './crashes.ts'
import { fenceBefore, nextFence } from './fence.ts'
import { isLaterProgress } from './task-details.ts'
import type { TaskEvent, TaskProgress } from './task-event.ts'
import type { TaskState } from './task-state.ts'
import { initialState } from './task-state.ts'

/**
 * The state after one more event. Total: it accepts any sequence of events, also a sequence that no decision would make. An event of an
 * unknown type only changes version and time.
 */
export const evolve = (state: TaskState, event: TaskEvent): TaskState => {
  const next = { ...withProgress(state, event), version: event.version, updatedAt: Math.max(state.updatedAt, event.at) }
  switch (event.type) {
    case 'TaskCreated':
      return { ...next, status: 'waiting', fence: fenceBefore(event.at), retry: event.retry, dueAt: event.notBefore ?? 0 }
    case 'TaskStarted':
      return { ...next, status: 'inProgress', attempt: event.attempt, fence: event.fence ?? nextFence(state.fence, event.at) }
    case 'TaskCancelRequested':
      return { ...next, status: 'cancelRequested' }
    case 'TaskCompleted':
      return { ...next, status: 'completed' }
    case 'TaskFailed':
      return event.retryAt === undefined
        ? { ...next, status: 'failed', failures: state.failures + 1 }
        : { ...next, status: 'waiting', failures: state.failures + 1, dueAt: event.retryAt }
    case 'TaskCancelled':
      return { ...next, status: 'cancelled' }
    case 'TaskDied':
      return event.retryAt === undefined
        ? { ...next, status: 'died', crashes: withCrash(state.crashes, next.progress?.value) }
        : { ...next, status: 'waiting', crashes: withCrash(state.crashes, next.progress?.value), dueAt: event.retryAt }
    case 'TaskReleased':
      return event.reason === undefined
        ? { ...next, status: 'waiting', dueAt: 0 }
        : { ...next, status: 'waiting', dueAt: 0, crashes: withCrash(state.crashes, next.progress?.value) }
    default:
      return next
  }
}

/** The state after a whole history. */
export const stateOf = (events: readonly TaskEvent[]): TaskState => events.reduce(evolve, initialState)

const withProgress = (state: TaskState, event: TaskEvent): TaskState => {
  const progress: TaskProgress | undefined = 'progress' in event ? event.progress : undefined
  return progress !== undefined && isLaterProgress(progress, state.progress) ? { ...state, progress } : state
}
