import type { TaskDetails } from '../../domain/task-details.ts'
import type { NodeInfo, UnreadableNode } from '../../ports/node-registry.ts'
import type { LeaseState } from './lease.ts'

/** How a renewal of the lease came about. */
export interface Renewal {
  /** Whether it is between two renewals of the usual pace, because another node is new to this one. */
  readonly isEarly: boolean
}

/** An answer of the node registry. */
export interface RegistryRead {
  readonly live: readonly (NodeInfo | UnreadableNode)[]
  /** Whether the answer is reliable: it has this node, which holds its lease. */
  readonly isSound: boolean
  /** When the read began, by `clock.elapsed()`. */
  readonly beganAt: number
}

/** What the parts of one node report. The assembly implements it: each report goes to the parts that act on it. */
export interface NodeListener {
  /** The publisher saved a row in the listing. */
  rowSaved(row: TaskDetails): void
  /** The node watch found that a node is dead. */
  nodeDied(nodeId: string): void
  /** The node watch saw nothing for a while: a node may have joined and died in that time. */
  nodesUnseen(): void
  /** The node watch read the registry. */
  nodesRead(read: RegistryRead): void
  /** A queue accepted a message of this node, or did not: then `error` says why. */
  messageSent(queue: string, error?: unknown): void
  /** Membership renewed the lease of this node. */
  leaseRenewed(renewal: Renewal): void
  /** Membership failed to renew the lease of this node, and tries again. */
  renewalFailed(error: unknown): void
  /** This node stood still for longer than its lease, and no timer has noticed it. */
  stoodStill(): void
  /** The lease of this node has changed its state. */
  leaseChanged(state: LeaseState): void
}
