import { MisuseError, misuse } from '../ports/errors.ts'
import { checkDeclaration } from './check-declaration.ts'
import type { TaskDeclaration } from './task-factory.ts'
import { isTaskFactory } from './task-factory.ts'

/** The kinds of tasks that a node knows, by their type. Several managers may share one. */
export class TaskRegistry {
  readonly #tasks = new Map<string, TaskDeclaration>()

  /**
   * Adds a kind of task. The same one again changes nothing; a declaration and its implementation become one.
   *
   * @throws `ALREADY_REGISTERED` where another one has its type; `MISUSE` where it is none.
   */
  register(task: TaskDeclaration): this {
    if (typeof task !== 'object' || task === null || typeof task.encode !== 'function')
      throw misuse('what is registered has to be a task: what defineTask or declareTask returns, or a TaskFactory of your own')
    checkDeclaration(task)
    const known = this.#tasks.get(task.type)
    if (known === undefined || isImplementationOf(task, known)) this.#tasks.set(task.type, task)
    else if (known !== task && !isImplementationOf(known, task))
      throw new MisuseError(
        'ALREADY_REGISTERED',
        `the task type "${task.type}" is registered already (${described(known)}): another one (${described(task)}) cannot have its name`,
      )
    return this
  }

  /** The task of a type, or nothing where it is not known here. Whether it can be run, `isTaskFactory` tells. */
  get(type: string): TaskDeclaration | undefined {
    return this.#tasks.get(type)
  }

  /** The types that are known here, in the order in which they were registered. */
  types(): readonly string[] {
    return [...this.#tasks.keys()]
  }

  /** The queues that carry the tasks which can be run here, each once. */
  queues(): readonly string[] {
    return [...new Set([...this.#tasks.values()].filter(isTaskFactory).map(({ queue }) => queue))]
  }
}

/** A registry of these tasks. */
export const taskRegistry = (tasks: readonly TaskDeclaration[] = []): TaskRegistry =>
  tasks.reduce((registry, task) => registry.register(task), new TaskRegistry())

const isImplementationOf = (task: TaskDeclaration, declaration: TaskDeclaration): boolean =>
  isTaskFactory(task) && !isTaskFactory(declaration) && task.version === declaration.version && task.queue === declaration.queue

const described = (task: TaskDeclaration): string =>
  `${isTaskFactory(task) ? 'a definition' : 'a declaration'} of version ${task.version} in the queue "${task.queue}"`
