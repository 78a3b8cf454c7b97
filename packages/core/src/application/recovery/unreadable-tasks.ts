import type { TaskId } from '../../domain/task-id.ts'
import { codeOf } from '../../ports/errors.ts'
import type { Logger } from '../../ports/logger.ts'

/** Tasks whose histories this node cannot read, each told once for each state that it is found in. */
export class UnreadableTasks {
  readonly #logger: Logger
  readonly #versions = new Map<TaskId, number>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  get count(): number {
    return this.#versions.size
  }

  /** Whether nothing has changed since it was told: reading it again would tell the same. */
  isKnown(taskId: TaskId, rowVersion: number): boolean {
    return this.#versions.get(taskId) === rowVersion
  }

  tell(taskId: TaskId, rowVersion: number, error: unknown): void {
    if (this.isKnown(taskId, rowVersion)) return
    this.#versions.set(taskId, rowVersion)
    this.#logger.error({ taskId, err: error }, 'the history of an unfinished task cannot be read here; it is left as it is')
  }

  forget(taskId: TaskId): void {
    this.#versions.delete(taskId)
  }
}

/** Whether reading it again will tell the same, until somebody changes something. */
export const isUnreadable = (error: unknown): boolean => ['MALFORMED', 'UNKNOWN_EVENT_TYPE', 'TASK_NOT_FOUND'].includes(codeOf(error) ?? '')
