import type { TaskDetails } from '../domain/task-details.ts'
import type { TaskProgress } from '../domain/task-event.ts'
import type { TaskId } from '../domain/task-id.ts'
import type { TaskStatus } from '../domain/task-status.ts'
import type { CallOptions } from './call-options.ts'
import type { TaskListingCapabilities } from './capabilities.ts'

/** Which tasks to list: those that meet every property that is given. */
export interface TaskFilter {
  /** Any of these; never an empty list. */
  readonly statuses?: readonly TaskStatus[]
  readonly type?: string
  /** The node that runs the latest attempt, or ran it. */
  readonly node?: string
  readonly label?: string
  /** Created at this time or later, in milliseconds since 1970. */
  readonly since?: number
  /** Created before this time, in milliseconds since 1970. */
  readonly until?: number
}

/** Whether a task has every property that the filter asks for. */
export const matches = (details: TaskDetails, { statuses, type, node, label, since, until }: TaskFilter): boolean =>
  (statuses === undefined || statuses.includes(details.status)) &&
  (type === undefined || details.type === type) &&
  (node === undefined || details.node === node) &&
  (label === undefined || details.labels.includes(label)) &&
  (since === undefined || details.createdAt >= since) &&
  (until === undefined || details.createdAt < until)

/** Which part of a list. */
export interface PageRequest extends CallOptions {
  /** How many tasks at most, 1 to 1,000. */
  readonly limit: number
  /** Where the page before ended. */
  readonly cursor?: string
}

/** A part of a list. */
export interface TaskPage {
  readonly tasks: readonly TaskDetails[]
  /** Where the next page begins; absent where there is none. */
  readonly cursor?: string
}

/** A part of all tasks: those that fall to `shard` (0 to `of - 1`) when they are shared out among `of`. */
export interface TaskShard {
  readonly shard: number
  readonly of: number
}

/** Which unfinished tasks. */
export interface UnfinishedOptions extends CallOptions {
  /**
   * Only tasks that wait and became due before this time: their `dueAt`, or where there is none their `updatedAt`. Spares
   * whoever looks for lost messages a backlog of any length. You may give other unfinished tasks too, where leaving them out
   * costs more than reading them.
   */
  readonly dueBefore?: number
}

/**
 * The projection that people list: one row for each task, the newest first.
 *
 * **You have to** let the highest version win whole, in whatever order, from however many clients rows are saved (TL-1.1
 * to 1.3); list by creation time and then id, the newest first, without reading everything there ever was (TL-2.1 to 2.5);
 * walk every task once while others are added (TL-2.3); give every unfinished task to exactly one shard (TL-3.1, 3.2), and with
 * `dueBefore` at least those that it asks for (TL-3.4); keep of a task's progress the highest (attempt, sequence), show it in
 * the rows of unfinished tasks that have begun (`attempt` is not 0), and never let it touch a status (TL-4.1 to 4.4).
 *
 * **You may assume** that equal versions carry equal details; that `createdAt` of a task never changes; that filter and
 * limit were checked.
 *
 * **Not your job:** knowing what is true (the event store does), notices, retries.
 *
 * **Fails with** `INVALID_CURSOR` for a cursor that is malformed or was made for another filter; `UNAVAILABLE` or
 * `OUTCOME_UNKNOWN` where the engine fails (every call may be repeated); `CLOSED` after `close`.
 */
export interface TaskListing {
  readonly capabilities: TaskListingCapabilities

  /** Saves the row of a task, unless a later one is there. */
  save(details: TaskDetails, options?: CallOptions): Promise<void>

  /** A page of tasks, the newest first. */
  list(filter: TaskFilter, page: PageRequest): Promise<TaskPage>

  /** The tasks of a shard whose rows are not final, in any order. */
  unfinished(shard: TaskShard, options?: UnfinishedOptions): AsyncIterable<TaskDetails>

  /** Saves how far a task has come, unless a later report is there or its row is final. */
  saveProgress(taskId: TaskId, progress: TaskProgress, options?: CallOptions): Promise<void>

  /** The latest progress saved, or nothing. What is kept of a finished task is not said. */
  progress(taskId: TaskId, options?: CallOptions): Promise<TaskProgress | undefined>

  /** Forgets the row and the progress of a task. Forgetting an unknown task is no error. */
  remove(task: Pick<TaskDetails, 'taskId' | 'createdAt'>, options?: CallOptions): Promise<void>

  /** Ends what is under way and lets go of the engine. Closing twice is fine. */
  close(): Promise<void>
}
