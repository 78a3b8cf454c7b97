import type { TaskDetails, TaskLife } from '../domain/task-details.ts'
import type { TaskId } from '../domain/task-id.ts'
import type { TaskProgress } from '../domain/task-event.ts'
import type { TaskStatus } from '../domain/task-status.ts'
import type { CallOptions } from './call-options.ts'
import type { TaskListingCapabilities } from './capabilities.ts'

/** Which tasks to list: those that match every property that is given. */
export interface TaskFilter {
  /** One of these; never an empty list. */
  readonly statuses?: readonly TaskStatus[]
  readonly type?: string
  /** The node of the latest attempt. */
  readonly node?: string
  readonly label?: string
  /** Created at this time or later, in milliseconds since 1970. */
  readonly since?: number
  /** Created before this time, in milliseconds since 1970. */
  readonly until?: number
}

/** Whether a task matches every property of the filter. */
export const matches = (details: TaskDetails, { statuses, type, node, label, since, until }: TaskFilter): boolean =>
  (statuses === undefined || statuses.includes(details.status)) &&
  (type === undefined || details.type === type) &&
  (node === undefined || details.node === node) &&
  (label === undefined || details.labels.includes(label)) &&
  (since === undefined || details.createdAt >= since) &&
  (until === undefined || details.createdAt < until)

/** Which page of a list. */
export interface PageRequest extends CallOptions {
  /** The maximum of rows, 1 to 1,000. */
  readonly limit: number
  /** The cursor of the page before. */
  readonly cursor?: string
}

/** A row that cannot be decoded: a newer release wrote it, or something damaged it. */
export interface UnreadableRow {
  readonly taskId: TaskId
  /** The time of the row, in milliseconds since 1970: the row has its place in the list by it. */
  readonly createdAt: number
  /** Why the row cannot be read, in words. */
  readonly unreadable: string
}

/** Whether a row cannot be decoded. */
export const isUnreadableRow = (row: TaskDetails | UnreadableRow): row is UnreadableRow => 'unreadable' in row

/** A page of a list. */
export interface TaskPage {
  readonly tasks: readonly TaskDetails[]
  /** The rows of this part of the list that cannot be read, and may match the filter; absent if there are none. They count in the limit. */
  readonly unreadable?: readonly UnreadableRow[]
  /** The cursor for the next page; absent on the last page. */
  readonly cursor?: string
}

/** A page without a cursor, from rows in the order of the list. */
export const pageOf = (rows: readonly (TaskDetails | UnreadableRow)[]): TaskPage => {
  const unreadable = rows.filter(isUnreadableRow)
  const tasks = rows.filter((row): row is TaskDetails => !isUnreadableRow(row))
  return unreadable.length === 0 ? { tasks } : { tasks, unreadable }
}

/** A part of all tasks: shard number `shard` (0 to `of - 1`) of `of` shards. */
export interface TaskShard {
  readonly shard: number
  readonly of: number
}

/** Which unfinished tasks to read. */
export interface UnfinishedOptions extends CallOptions {
  /**
   * Only tasks that wait and became due before this time: by their `dueAt`, or if they have none by their `updatedAt`. So a search for lost
   * messages need not read a backlog. You may return other unfinished tasks too, if leaving them out costs more than reading them.
   */
  readonly dueBefore?: number
}

/**
 * The projection that people list: one row for each task, the newest first.
 *
 * **You have to** let the row with the highest version win as a whole, in whatever order and from however many clients rows are saved (TL-1.1
 * to 1.3); list by creation time and then id, the newest first, without reading all tasks (TL-2.1 to 2.5); walk every task once while
 * others are added (TL-2.3); give every unfinished task to exactly one shard (TL-3.1, 3.2), and with `dueBefore` at least the tasks that it
 * asks for (TL-3.4); keep the progress with the highest (attempt, sequence), show it in the rows of unfinished tasks that have begun
 * (`attempt` is not 0), and never let it change a status (TL-4.1 to 4.5); keep the {@link TaskLife lives} of an id apart: nothing that was
 * written for one life hides or changes another (TL-5.2); name every row that you cannot decode, in its place, instead of leaving it out or
 * failing (TL-7.1 to 7.3): nobody would look for its task; leave out a report of progress that you cannot decode, as if it had not come: the next
 * report says more (TL-7.4); read on until a page is full or no row is left, however many rows the filter refuses (TL-2.6, 2.7, 3.5).
 *
 * **You may assume** that equal versions of a life have equal details; that `createdAt` of a life never changes, and that two lives of an id
 * differ in it; that filter and limit were checked.
 *
 * **Not your job:** knowing the truth (the event store has it), notices, retries.
 *
 * **Fails with** `INVALID_CURSOR` if the cursor is malformed or was made for another filter; `UNAVAILABLE` or `OUTCOME_UNKNOWN` if the engine
 * fails (every call may be repeated); `CLOSED` after `close`.
 */
export interface TaskListing {
  readonly capabilities: TaskListingCapabilities

  /** Saves the row of a task, unless a later row is stored. */
  save(details: TaskDetails, options?: CallOptions): Promise<void>

  /** A page of tasks, the newest first. */
  list(filter: TaskFilter, page: PageRequest): Promise<TaskPage>

  /** The tasks of a shard whose rows are not final, and the rows that you cannot decode and that may not be final, in any order. */
  unfinished(shard: TaskShard, options?: UnfinishedOptions): AsyncIterable<TaskDetails | UnreadableRow>

  /** Saves the progress of a task, unless a later report is stored or its row is final. */
  saveProgress(task: TaskLife, progress: TaskProgress, options?: CallOptions): Promise<void>

  /**
   * The latest report of `saveProgress`; `undefined` if there is none, or if you cannot decode it. The progress in the details of a saved row is
   * no report: the caller compares the answer with the history, which has it (TL-4.5). For a finished task any answer is fine.
   */
  progress(task: TaskLife, options?: CallOptions): Promise<TaskProgress | undefined>

  /** Removes the row and the progress of one life of a task. Removing an unknown task is not an error. */
  remove(task: TaskLife, options?: CallOptions): Promise<void>

  /**
   * Releases the engine.
   * A call under way ends soon, with its result, `CLOSED` or `OUTCOME_UNKNOWN` (TL-T.7, T.8). Closing twice is fine.
   */
  close(): Promise<void>
}
