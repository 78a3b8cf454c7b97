import type { NodeInfo } from '../../ports/node-registry.ts'
import { shardOf } from '../../ports/shard.ts'
import type { TaskId } from '../../domain/task-id.ts'

/** The number of shards that the janitors share: the same on every node of every release. */
export const shardCount = 16

/** What decides whether a node gets shards. */
type Candidate = Pick<NodeInfo, 'nodeId' | 'startedAt' | 'renewedAt'>

/**
 * The shards of a node among the live ones, by rendezvous hashing (Thaler, Ravishankar 1996): each shard goes to the node with the highest
 * hash for it. There is no election, and when a node leaves, only its own shards move.
 *
 * A node younger than one lease cannot declare others dead yet: it gets no shards while an older node is alive. Nodes with different
 * `ttlMs` may disagree about this until the youngest node is older than the longest lease.
 */
export const shardsOf = (nodeId: string, live: readonly Candidate[], ttlMs: number): readonly number[] => {
  // Both times are of that node's own clock, so differences between clocks do not matter.
  const grown = live.filter(({ startedAt, renewedAt }) => renewedAt - startedAt >= ttlMs)
  if (grown.length > 0 && !grown.some((node) => node.nodeId === nodeId)) return []
  const others = (grown.length > 0 ? grown : live).filter((node) => node.nodeId !== nodeId)
  return Array.from({ length: shardCount }, (_, shard) => shard).filter((shard) => {
    const own = lotOf(nodeId, shard)
    return others.every((other) => isHigher([own, nodeId], [lotOf(other.nodeId, shard), other.nodeId]))
  })
}

// Reuses the hash of task ids on a text of its own; the padding replaces the last 4 characters, which `shardOf` drops.
const lotOf = (nodeId: string, shard: number): number => shardOf(`${shard}/${nodeId}/${shard}----` as TaskId, 2 ** 32)

const isHigher = ([a, aId]: readonly [number, string], [b, bId]: readonly [number, string]): boolean => a > b || (a === b && aId > bId)
