import type { NodeInfo } from '../../ports/node-registry.ts'
import { shardOf } from '../../ports/shard.ts'
import type { TaskId } from '../../domain/task-id.ts'

/** Into how many shares the janitors divide the tasks: the same on every node of every release. */
export const shardCount = 16

/** What a node has to say of itself to be given a share. */
type Candidate = Pick<NodeInfo, 'nodeId' | 'startedAt' | 'renewedAt'>

/**
 * The shards that fall to a node among those that live, by rendezvous hashing (Thaler, Ravishankar 1996): each shard goes to
 * the node that draws the highest lot for it. Nobody is elected, and where a node goes only its own shards move.
 *
 * A node that is younger than a lease lasts cannot judge others yet: it has no share while one lives that is not. Nodes that
 * were given different leases may disagree about that until the youngest has outlived the longest of them, no longer.
 */
export const shardsOf = (nodeId: string, live: readonly Candidate[], ttlMs: number): readonly number[] => {
  // Both times are of that node's own clock: it does not matter how far the clocks are apart.
  const grown = live.filter(({ startedAt, renewedAt }) => renewedAt - startedAt >= ttlMs)
  if (grown.length > 0 && !grown.some((node) => node.nodeId === nodeId)) return []
  const others = (grown.length > 0 ? grown : live).filter((node) => node.nodeId !== nodeId)
  return Array.from({ length: shardCount }, (_, shard) => shard).filter((shard) => {
    const own = lotOf(nodeId, shard)
    return others.every((other) => isHigher([own, nodeId], [lotOf(other.nodeId, shard), other.nodeId]))
  })
}

// The hash that shares out tasks, of a text that is no id: any hash would do, if every node has the same. What it cuts off
// is padded.
const lotOf = (nodeId: string, shard: number): number => shardOf(`${shard}/${nodeId}/${shard}----` as TaskId, 2 ** 32)

const isHigher = ([a, aId]: readonly [number, string], [b, bId]: readonly [number, string]): boolean => a > b || (a === b && aId > bId)
