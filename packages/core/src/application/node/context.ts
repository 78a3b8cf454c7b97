import type { CommandBase } from '../../domain/task-command.ts'
import type { TaskId } from '../../domain/task-id.ts'
import type { TaskMessaging, TaskStorage } from '../../ports/bundles.ts'
import type { Clock } from '../../ports/shared/clock.ts'
import type { Logger } from '../../ports/shared/logger.ts'
import type { ClusterClocks } from './cluster-clocks.ts'
import type { Deadlines } from './deadlines.ts'
import type { Lease } from './lease.ts'

/** What all parts of one node share. */
export interface NodeContext {
  /** Unique to this process: a restarted node has another id. */
  readonly nodeId: string
  readonly clock: Clock
  /** The wall clocks of the other nodes. */
  readonly clocks: ClusterClocks
  /** Draws a number in [0, 1). */
  readonly random: () => number
  readonly logger: Logger
  readonly storage: TaskStorage
  readonly messaging: TaskMessaging
  /** Limits the time of calls that leave the process. */
  readonly deadlines: Deadlines
  /** How long a command is retried before its caller gets the error, in milliseconds. */
  readonly commandTimeoutMs: number
  readonly lease: Lease
  /** Aborted with `CLOSED` once the node is closed: every wait ends then. */
  readonly closed: AbortSignal
  nextEventIds(): readonly [string, string]
}

/** The properties that every command of this node has, with the current time in whole milliseconds: engines keep no parts of them. */
export const commandBase = (node: NodeContext, taskId: TaskId): CommandBase => ({
  taskId,
  at: Math.floor(node.clock.now()),
  node: node.nodeId,
  eventIds: node.nextEventIds(),
})
