import type { TaskMessaging, TaskStorage } from '../ports/bundles.ts'
import type { Clock } from '../ports/shared/clock.ts'
import type { Logger } from '../ports/shared/logger.ts'
import type { TaskDeclaration } from '../tasks/task-factory.ts'
import type { TaskRegistry } from '../tasks/task-registry.ts'
import type { LeaseOptions } from './node/lease.ts'
import type { JanitorOptions, RetentionOptions } from './recovery/settings.ts'
import type { TaskWorkerOptions } from './worker/settings.ts'

/** The options of a task manager. */
export interface TaskManagerOptions {
  /** The tasks that this node can submit, and run if they were defined with a body. */
  readonly tasks: readonly TaskDeclaration[] | TaskRegistry
  /**
   * The storage, open or still opening: `cassandraStorage(…)` needs no `await`. It is closed with the manager, or if the manager cannot be
   * made. Default: in memory.
   */
  readonly storage?: TaskStorage | Promise<TaskStorage> | undefined
  /**
   * The messaging, open or still opening: `rabbitmqMessaging(…)` needs no `await`. It is closed with the manager, or if the manager cannot
   * be made. Default: in memory.
   */
  readonly messaging?: TaskMessaging | Promise<TaskMessaging> | undefined
  /** The options of the worker. `false`: a front-end, which runs no tasks. Default: four slots for each queue of its tasks. */
  readonly worker?: TaskWorkerOptions | false | undefined
  /** The name of this node; its id is the name and a random part. Default `node`. */
  readonly name?: string | undefined
  /** The logger. Default: warnings and errors go to the console. */
  readonly logger?: Logger | undefined
  /** The clock. Default: the system clock. */
  readonly clock?: Clock | undefined
  /** Draws a number in [0, 1), for simulations. Default: the random numbers of the platform. */
  readonly random?: (() => number) | undefined
  /** The maximum payload, in bytes of its JSON. Default 262,144. */
  readonly maxPayloadBytes?: number | undefined
  /** The lease by which other nodes know that this node is alive. Give every node of a cluster the same. */
  readonly lease?: LeaseOptions | undefined
  /** How this node looks for lost tasks. */
  readonly janitor?: JanitorOptions | undefined
  /** When finished tasks are removed. Default: never. Give every node of a cluster the same. */
  readonly retention?: RetentionOptions | undefined
  /** The time limit of one call to storage or messaging, in milliseconds. Default 10,000. */
  readonly callTimeoutMs?: number | undefined
  /** How long a submit or a cancel is retried before its caller gets the error, in milliseconds. Default 10,000. */
  readonly commandTimeoutMs?: number | undefined
}
