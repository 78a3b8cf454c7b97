import type { TaskId } from '../domain/task-id.ts'
import { cohortOf } from '../domain/task-id.ts'

/**
 * The shard of a task, 0 to `of - 1`. Every node and every adapter has to compute the same shard (FNV-1a over the cohort; Fowler, Noll, Vo).
 * All tasks of a cohort have one shard, so that an engine can store and write them together.
 */
export const shardOf = (taskId: TaskId, of: number): number => {
  const cohort = cohortOf(taskId)
  let hash = 0x811c9dc5
  for (let index = 0; index < cohort.length; index++) {
    hash ^= cohort.charCodeAt(index)
    hash = Math.imul(hash, 0x01000193)
  }
  return (hash >>> 0) % of
}
