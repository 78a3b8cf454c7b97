import type { CommandBase } from '../../domain/task-command.ts'
import type { TaskId } from '../../domain/task-id.ts'
import type { TaskMessaging, TaskStorage } from '../../ports/bundles.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Deadlines } from './deadlines.ts'
import type { Lease } from './lease.ts'

/** What the parts of one node share. */
export interface NodeContext {
  /** Unique to this incarnation. */
  readonly nodeId: string
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  readonly logger: Logger
  readonly storage: TaskStorage
  readonly messaging: TaskMessaging
  /** Bounds calls that leave the process. */
  readonly deadlines: Deadlines
  /** How long a command may be tried again before its caller is told, in milliseconds. */
  readonly commandTimeoutMs: number
  /** What this node's lease is worth. */
  readonly lease: Lease
  /** Aborted, with `CLOSED`, once the node is closed: whoever still waits gives up. */
  readonly closed: AbortSignal
  nextEventIds(): readonly [string, string]
}

/** What every command of this node carries, now. */
export const commandBase = (node: NodeContext, taskId: TaskId): CommandBase => ({
  taskId,
  at: node.clock.now(),
  node: node.nodeId,
  eventIds: node.nextEventIds(),
})
