import type { Crashes } from './crashes.ts'
import { noCrashes } from './crashes.ts'
import type { RetryPolicy } from './retry-policy.ts'
import { defaultRetryPolicy } from './retry-policy.ts'
import type { TaskProgress } from './task-event.ts'
import type { TaskStatus } from './task-status.ts'

/** What decisions need, and nothing else. People read {@link TaskDetails}. */
export interface TaskState {
  readonly status: TaskStatus | 'none'
  /** The number of events so far. */
  readonly version: number
  /** When the latest event happened, in milliseconds since 1970; 0 before the first. */
  readonly updatedAt: number
  /** The latest attempt; 0 before the first. */
  readonly attempt: number
  /** The fencing token of the latest attempt; before the first, what its token has to be more than. */
  readonly fence: number
  /** How many attempts failed. */
  readonly failures: number
  readonly crashes: Crashes
  /** The latest progress in the history; absent if no event has any. */
  readonly progress?: TaskProgress
  readonly retry: RetryPolicy
  /** The earliest start, in milliseconds since 1970; 0: at once. */
  readonly dueAt: number
}

/** The state before the first event: there is no task. */
export const initialState: TaskState = {
  status: 'none',
  version: 0,
  updatedAt: 0,
  attempt: 0,
  fence: 0,
  failures: 0,
  crashes: noCrashes,
  retry: defaultRetryPolicy,
  dueAt: 0,
}
