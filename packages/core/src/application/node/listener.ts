import type { TaskDetails } from '../../domain/task-details.ts'
import type { LeaseState } from './lease.ts'

/** What the parts of one node report. The assembly implements it: each report goes to the parts that act on it. */
export interface NodeListener {
  /** The publisher saved a row in the listing. */
  rowSaved(row: TaskDetails): void
  /** The node watch found that a node is dead. */
  nodeDied(nodeId: string): void
  /** The node watch saw nothing for a while: a node may have joined and died in that time. */
  nodesUnseen(): void
  /** Membership renewed the lease of this node. */
  leaseRenewed(): void
  /** Membership failed to renew the lease of this node, and tries again. */
  renewalFailed(error: unknown): void
  /** The lease of this node has changed its state. */
  leaseChanged(state: LeaseState): void
}
