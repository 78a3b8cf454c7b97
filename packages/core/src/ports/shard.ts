import type { TaskId } from '../domain/task-id.ts'

/**
 * The shard, 0 to `of - 1`, that a task falls to. Every node and every adapter has to come to the same one (FNV-1a over
 * the id; Fowler, Noll, Vo).
 */
export const shardOf = (taskId: TaskId, of: number): number => {
  let hash = 0x811c9dc5
  for (let index = 0; index < taskId.length; index++) {
    hash ^= taskId.charCodeAt(index)
    hash = Math.imul(hash, 0x01000193)
  }
  return (hash >>> 0) % of
}
