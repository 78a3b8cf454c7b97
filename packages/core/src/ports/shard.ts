import type { TaskId } from '../domain/task-id.ts'
import { cohortOf } from '../domain/task-id.ts'

/**
 * The shard, 0 to `of - 1`, that a task falls to. Every node and every adapter has to come to the same one (FNV-1a over
 * the cohort; Fowler, Noll, Vo). A cohort is not torn apart, so that an engine can keep and write it together.
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
