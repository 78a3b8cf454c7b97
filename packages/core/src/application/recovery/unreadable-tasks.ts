import type { TaskId } from '../../domain/task-id.ts'
import { codeOf } from '../../ports/shared/errors.ts'
import type { Logger } from '../../ports/shared/logger.ts'
import type { UnreadableRow } from '../../ports/task-listing.ts'

/** Unfinished tasks whose rows or histories this node cannot read. Each is logged once per version of its row. */
export class UnreadableTasks {
  readonly #logger: Logger
  /** The version of the row; 0 if the row cannot be read. */
  readonly #versions = new Map<TaskId, number>()
  /** The tasks that were met since the full sweep began. */
  readonly #met = new Set<TaskId>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  get count(): number {
    return this.#versions.size
  }

  /** Whether the task was logged at this version of its row. */
  isKnown(taskId: TaskId, rowVersion: number): boolean {
    return this.#versions.get(taskId) === rowVersion
  }

  /** Reports a history. */
  report(taskId: TaskId, rowVersion: number, error: unknown): void {
    if (this.#note(taskId, rowVersion))
      this.#logger.error({ taskId, err: error }, 'left an unfinished task unchanged: its history cannot be read')
  }

  /** Reports a row. Its history may be readable: then the task is looked after all the same. */
  reportRow({ taskId, createdAt, unreadable }: UnreadableRow): void {
    if (this.#note(taskId, 0))
      this.#logger.error(
        { taskId, createdAt, why: unreadable },
        'found a row of the listing that cannot be read: reading the history of its task',
      )
  }

  /** The row of a task can be read, perhaps again. */
  noteReadableRow(taskId: TaskId): void {
    if (this.isKnown(taskId, 0)) this.forget(taskId)
  }

  forget(taskId: TaskId): void {
    this.#versions.delete(taskId)
  }

  /** A full sweep begins. */
  beginSweep(): void {
    this.#met.clear()
  }

  /** A full sweep has met every unfinished task: forgets those that it has not met, which were repaired or removed. */
  endSweep(): void {
    for (const taskId of this.#versions.keys()) if (!this.#met.has(taskId)) this.#versions.delete(taskId)
  }

  /** Whether the task is news. */
  #note(taskId: TaskId, rowVersion: number): boolean {
    this.#met.add(taskId)
    if (this.isKnown(taskId, rowVersion)) return false
    this.#versions.set(taskId, rowVersion)
    return true
  }
}

/** Whether every retry of the read will fail, until an operator or a release changes something. */
export const isUnreadable = (error: unknown): boolean => ['MALFORMED', 'UNKNOWN_EVENT_TYPE', 'TASK_NOT_FOUND'].includes(codeOf(error) ?? '')
