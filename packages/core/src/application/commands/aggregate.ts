import { evolve } from '../../domain/evolve.ts'
import type { TaskDetails } from '../../domain/task-details.ts'
import { evolveDetails } from '../../domain/task-details.ts'
import type { TaskCreated, TaskEvent } from '../../domain/task-event.ts'
import type { TaskState } from '../../domain/task-state.ts'
import { initialState } from '../../domain/task-state.ts'

/** What a node knows of a task: the fold of its history up to a version. */
export interface Aggregate {
  /** What decides. */
  readonly state: TaskState
  /** What is read; nothing before the first event. */
  readonly details: TaskDetails | undefined
  /** The first event: it holds the payload. */
  readonly created: TaskCreated | undefined
  /** The latest event. */
  readonly last: TaskEvent | undefined
}

export const noTask: Aggregate = { state: initialState, details: undefined, created: undefined, last: undefined }

/** The fold of some more events. */
export const fold = (aggregate: Aggregate, events: readonly TaskEvent[]): Aggregate => {
  let { state, details, created, last } = aggregate
  for (const event of events) {
    state = evolve(state, event)
    details = evolveDetails(details, event)
    if (event.type === 'TaskCreated') created = event
    last = event
  }
  return { state, details, created, last }
}
