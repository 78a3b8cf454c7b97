import type { TaskId } from '../../domain/task-id.ts'
import { codeOf } from '../../ports/shared/errors.ts'
import type { Logger } from '../../ports/shared/logger.ts'

/** Tasks whose histories this node cannot read. Each is logged once per version of its row. */
export class UnreadableTasks {
  readonly #logger: Logger
  readonly #versions = new Map<TaskId, number>()

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

  report(taskId: TaskId, rowVersion: number, error: unknown): void {
    if (this.isKnown(taskId, rowVersion)) return
    this.#versions.set(taskId, rowVersion)
    this.#logger.error({ taskId, err: error }, 'left an unfinished task unchanged: its history cannot be read')
  }

  forget(taskId: TaskId): void {
    this.#versions.delete(taskId)
  }
}

/** Whether every retry of the read will fail, until an operator or a release changes something. */
export const isUnreadable = (error: unknown): boolean => ['MALFORMED', 'UNKNOWN_EVENT_TYPE', 'TASK_NOT_FOUND'].includes(codeOf(error) ?? '')
