import { shardOf } from '../ports/shard.ts'
import type { TaskId } from '../domain/task-id.ts'

/** Into how many shares the janitors divide the tasks: the same on every node of every release. */
export const shardCount = 16

/**
 * The shards that fall to a node among those that live, by rendezvous hashing (Thaler, Ravishankar 1996): each shard goes to
 * the node that draws the highest lot for it. Nobody is elected, and where a node goes only its own shards move.
 */
export const shardsOf = (nodeId: string, live: readonly string[]): readonly number[] =>
  Array.from({ length: shardCount }, (_, shard) => shard).filter((shard) => {
    const own = lotOf(nodeId, shard)
    return live.every((other) => other === nodeId || isHigher([own, nodeId], [lotOf(other, shard), other]))
  })

// The hash that shares out tasks, of a text that is no id: any hash would do, if every node has the same. What it cuts off
// is padded.
const lotOf = (nodeId: string, shard: number): number => shardOf(`${shard}/${nodeId}/${shard}----` as TaskId, 2 ** 32)

const isHigher = ([a, aId]: readonly [number, string], [b, bId]: readonly [number, string]): boolean => a > b || (a === b && aId > bId)
