import { wrongOption } from '../ports/shared/checks.ts'
import { MisuseError } from '../ports/shared/errors.ts'
import { propertiesOfTask } from './check-declaration.ts'
import type { TaskDeclaration } from './task-factory.ts'
import { isTaskFactory } from './task-factory.ts'

/** The kinds of tasks that a node knows, by type. Several managers may share a registry. */
export class TaskRegistry {
  readonly #tasks = new Map<string, TaskDeclaration>()

  /**
   * Adds a kind of task. Adding the same task again changes nothing; an implementation replaces its declaration.
   *
   * @throws `ALREADY_REGISTERED` if another task has its type; `MISUSE` if the value is not a task.
   */
  register(task: TaskDeclaration): this {
    propertiesOfTask(task)
    const known = this.#tasks.get(task.type)
    if (known === undefined || isImplementationOf(task, known)) this.#tasks.set(task.type, task)
    else if (known !== task && !isImplementationOf(known, task))
      throw new MisuseError(
        'ALREADY_REGISTERED',
        `the task type "${task.type}" is registered already (${described(known)}): give the other task (${described(task)}) another type`,
      )
    return this
  }

  /** The task of a type; `undefined` if this node does not know the type. */
  get(type: string): TaskDeclaration | undefined {
    return this.#tasks.get(type)
  }

  /** The known types, in the order of registration. */
  types(): readonly string[] {
    return [...this.#tasks.keys()]
  }

  /** The queues of the tasks that this node can run, each once. */
  queues(): readonly string[] {
    return [...new Set([...this.#tasks.values()].filter(isTaskFactory).map(({ queue }) => queue))]
  }
}

/** Makes a registry of these tasks. */
export const taskRegistry = (tasks: readonly TaskDeclaration[] = []): TaskRegistry => {
  if (!Array.isArray(tasks)) throw wrongOption('tasks', tasks, 'an array of tasks')
  const registry = new TaskRegistry()
  // `Array.from`: a hole is a task that is missing.
  for (const task of Array.from(tasks as readonly TaskDeclaration[])) registry.register(task)
  return registry
}

const isImplementationOf = (task: TaskDeclaration, declaration: TaskDeclaration): boolean =>
  isTaskFactory(task) && !isTaskFactory(declaration) && task.version === declaration.version && task.queue === declaration.queue

const described = (task: TaskDeclaration): string =>
  `${isTaskFactory(task) ? 'a definition' : 'a declaration'} of version ${task.version} in the queue "${task.queue}"`
