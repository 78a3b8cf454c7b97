import { TaskledgerError } from '../../ports/shared/errors.ts'
import type { TaskDeclaration, TaskFactory } from '../../tasks/task-factory.ts'
import { isTaskFactory } from '../../tasks/task-factory.ts'
import type { TaskRegistry } from '../../tasks/task-registry.ts'

const unknownTaskType = (message: string): TaskledgerError<'UNKNOWN_TASK_TYPE'> => new TaskledgerError('UNKNOWN_TASK_TYPE', message)

/**
 * The declaration of a task type on this node.
 *
 * @throws `UNKNOWN_TASK_TYPE`.
 */
export const declarationOf = (registry: TaskRegistry, type: string): TaskDeclaration => {
  const task = registry.get(type)
  if (task === undefined)
    throw unknownTaskType(
      `the task type "${type}" is not known on this node: add it to the manager's tasks (known: ${registry.types().join(', ')})`,
    )
  return task
}

/**
 * The factory that runs the tasks of a type on this node.
 *
 * @throws `UNKNOWN_TASK_TYPE`.
 */
export const factoryOf = (registry: TaskRegistry, type: string): TaskFactory => {
  const task = declarationOf(registry, type)
  if (!isTaskFactory(task))
    throw unknownTaskType(`the task type "${type}" is only declared on this node: give it a body with implementTask`)
  return task
}
