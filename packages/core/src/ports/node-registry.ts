import type { CallOptions } from './call-options.ts'
import type { NodeRegistryCapabilities } from './capabilities.ts'

/** A process of the cluster. Times are in milliseconds since 1970. */
export interface NodeInfo {
  /** Unique to this start of the process: after a restart the process has another id. */
  readonly nodeId: string
  /** The name that people gave it. */
  readonly name: string
  readonly startedAt: number
  /** When the node renewed itself, by its own clock. If the value stays the same, the node did not renew. */
  readonly renewedAt: number
  /** The queues that it takes tasks from, each with its number of slots: 0 while its worker takes none. */
  readonly queues: Readonly<Record<string, number>>
  /** How many tasks it runs now. */
  readonly running: number
  /**
   * For each queue, when the latest message was sent whose task this node claimed, by its own clock. A message that was sent well before
   * and still waits was overtaken.
   */
  readonly delivered: Readonly<Record<string, number>>
  /**
   * The number of the latest beat that the node sent after a renewal and received back from the bus before the next renewal; 0 before the
   * first, and after a lapse of its lease. A beat is a notice about no task. A node that did not receive this beat has other messaging.
   * Absent: the node does not tell.
   */
  readonly beat?: number
  /**
   * For each queue, how many of its slots are held by tasks that await a task which waits in the same queue. Absent: none, or the node does
   * not tell.
   */
  readonly blocked?: Readonly<Record<string, number>>
}

/** A live node whose entry cannot be decoded: a newer release wrote it, or something damaged it. */
export interface UnreadableNode {
  readonly nodeId: string
  /** Why the entry cannot be read, in words. */
  readonly unreadable: string
}

/** Whether the entry of a node cannot be decoded. */
export const isUnreadableNode = (node: NodeInfo | UnreadableNode): node is UnreadableNode => 'unreadable' in node

/**
 * Knows which nodes are alive. It is a failure detector, never a lock: a node that is missing here may still be running.
 *
 * **You have to** show a node from its `renew` until `ttlMs` have passed without another `renew` (NR-1.1, 1.2), or until it leaves (NR-1.3);
 * show what the latest `renew` said; show a node whose entry you cannot decode by its id (NR-3.1). Such a node is alive: its entry has not
 * expired. If you left it out, other nodes would take it for dead and run its tasks a second time. If you failed, one entry would hide all
 * others, and no dead node would be found. So keep id and time to live beside the entry: neither may need the codec (NR-3.2).
 *
 * **You may assume** that a node renews only itself.
 *
 * **Not your job:** deciding that a node is dead.
 *
 * **Fails with** `UNAVAILABLE` or `OUTCOME_UNKNOWN` if the engine fails (every call may be repeated); `CLOSED` after `close`.
 */
export interface NodeRegistry {
  readonly capabilities: NodeRegistryCapabilities

  /** The node counts as alive for another `ttlMs`. */
  renew(node: NodeInfo, ttlMs: number, options?: CallOptions): Promise<void>

  /** Removes the node. Removing an unknown node is not an error. */
  leave(nodeId: string, options?: CallOptions): Promise<void>

  /** The live nodes, in any order; also those whose entries you cannot decode. */
  live(options?: CallOptions): Promise<readonly (NodeInfo | UnreadableNode)[]>

  /**
   * Releases the engine.
   * A call under way ends soon, with its result, `CLOSED` or `OUTCOME_UNKNOWN` (NR-T.7, T.8). Closing twice is fine.
   */
  close(): Promise<void>
}
