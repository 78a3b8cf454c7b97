import type { TaskMessaging, TaskStorage } from '../ports/bundles.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { TaskDeclaration } from '../tasks/task-factory.ts'
import type { TaskRegistry } from '../tasks/task-registry.ts'
import type { LeaseOptions } from './node/lease.ts'
import type { JanitorOptions, RetentionOptions } from './recovery/settings.ts'
import type { TaskWorkerOptions } from './worker/settings.ts'

/** How a task manager is made. */
export interface TaskManagerOptions {
  /** What can be submitted, and, where it was defined with a body, run on this node. */
  readonly tasks: readonly TaskDeclaration[] | TaskRegistry
  /**
   * Default: in memory. Open, or still opening: `cassandraStorage(…)` needs no `await`. The manager closes it, also where it
   * cannot be made.
   */
  readonly storage?: TaskStorage | Promise<TaskStorage>
  /** Default: in memory. Open, or still opening: `rabbitmqMessaging(…)` needs no `await`. The manager closes it, as it does the storage. */
  readonly messaging?: TaskMessaging | Promise<TaskMessaging>
  /** `false`: a front-end, which runs nothing. Default: four slots for each queue that its tasks name. */
  readonly worker?: TaskWorkerOptions | false
  /** What people call this node; its id is the name and a random part. Default `node`. */
  readonly name?: string
  /** Default: warnings and errors go to the console. */
  readonly logger?: Logger
  /** Default: the machine's. */
  readonly clock?: Clock
  /** In [0, 1). For simulations; default: the platform's. */
  readonly random?: () => number
  /** The largest payload, in bytes of its JSON. Default 262,144. */
  readonly maxPayloadBytes?: number
  /** How this node shows that it lives. Give every node of a cluster the same. */
  readonly lease?: LeaseOptions
  /** How this node looks for what others have lost. */
  readonly janitor?: JanitorOptions
  /** What is forgotten by itself. Default: nothing. Give every node of a cluster the same. */
  readonly retention?: RetentionOptions
  /** How long one call to storage or messaging may take, in milliseconds. Default 10,000. */
  readonly callTimeoutMs?: number
  /** How long a submit or a cancel is tried again before its caller is told, in milliseconds. Default 10,000. */
  readonly commandTimeoutMs?: number
}
