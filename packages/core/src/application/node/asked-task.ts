import type { TaskEvent } from '../../domain/task-event.ts'
import type { TaskId } from '../../domain/task-id.ts'
import { TypeMismatch } from './errors.ts'

/** The task that a caller asks about. */
export interface AskedTask {
  readonly taskId: TaskId
  /** The type that the caller takes the task for; `undefined`: any. */
  readonly type: string | undefined
}

/**
 * Checks the type of a task by its first event.
 *
 * @throws `TYPE_MISMATCH` if the task has another type than the caller takes it for.
 */
export const checkType = ({ taskId, type }: AskedTask, first: TaskEvent | undefined): void => {
  if (type !== undefined && first?.type === 'TaskCreated' && first.task.type !== type) throw new TypeMismatch(taskId, type, first.task.type)
}
