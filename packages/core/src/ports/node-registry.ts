import type { CallOptions } from './call-options.ts'
import type { NodeRegistryCapabilities } from './capabilities.ts'

/** A process that takes part. Times are in milliseconds since 1970. */
export interface NodeInfo {
  /** Unique to this incarnation: a process that starts again has another. */
  readonly nodeId: string
  /** What people call it. */
  readonly name: string
  readonly startedAt: number
  /** When it said so, by its own clock: what stays the same was not renewed. */
  readonly renewedAt: number
  /** The queues that it takes work from, and how many tasks of each it runs at a time. */
  readonly queues: Readonly<Record<string, number>>
  /** How many tasks it runs. */
  readonly running: number
  /** For each queue, the newest `sentAt` that was delivered to it: what was sent before that has been overtaken. */
  readonly delivered: Readonly<Record<string, number>>
}

/**
 * Knows which nodes are alive. A failure detector, never a lock: a node that is not in it may still be running.
 *
 * **You have to** show a node from `renew` until `ttlMs` have passed without another (NR-1.1, 1.2), or until it leaves
 * (NR-1.3); show what the latest `renew` said.
 *
 * **You may assume** that a node renews itself only.
 *
 * **Not your job:** deciding that anybody is dead.
 *
 * **Fails with** `UNAVAILABLE` or `OUTCOME_UNKNOWN` where the engine fails (every call may be repeated); `CLOSED` after
 * `close`.
 */
export interface NodeRegistry {
  readonly capabilities: NodeRegistryCapabilities

  /** Says that the node is alive for another `ttlMs`. */
  renew(node: NodeInfo, ttlMs: number, options?: CallOptions): Promise<void>

  /** Takes the node out. Taking out an unknown node is no error. */
  leave(nodeId: string, options?: CallOptions): Promise<void>

  /** The nodes that are alive, in any order. */
  live(options?: CallOptions): Promise<readonly NodeInfo[]>

  /** Ends what is under way and lets go of the engine. Closing twice is fine. */
  close(): Promise<void>
}
