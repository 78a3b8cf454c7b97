import { evolve } from '../../domain/evolve.ts'
import type { TaskDetails } from '../../domain/task-details.ts'
import { evolveDetails } from '../../domain/task-details.ts'
import type { TaskCreated, TaskEvent } from '../../domain/task-event.ts'
import type { TaskState } from '../../domain/task-state.ts'
import { initialState } from '../../domain/task-state.ts'

/** A task as this node knows it: the fold of its history up to a version. */
export interface Aggregate {
  /** The state that decides. */
  readonly state: TaskState
  /** The details that people read; `undefined` before the first event. */
  readonly details: TaskDetails | undefined
  /** The first event, with the payload. */
  readonly created: TaskCreated | undefined
  /** The latest event. */
  readonly last: TaskEvent | undefined
}

export const noTask: Aggregate = { state: initialState, details: undefined, created: undefined, last: undefined }

/** Folds more events into an aggregate. */
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
