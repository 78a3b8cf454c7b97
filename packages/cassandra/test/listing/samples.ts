import { randomUUID } from 'node:crypto'
import type { TaskDetails, TaskId } from '@taskledger/core/ports'
import { defaultListBucketMs } from '../../src/schema/steps.ts'
import type { Session } from '../../src/connection/session.ts'
import { CassandraTaskListing } from '../../src/listing/cassandra-task-listing.ts'

/** A new id. */
export const freshId = (): TaskId => randomUUID() as string as TaskId

/** The details of a task that was just submitted, with the given properties. */
export const detailsWith = (given: Partial<TaskDetails> = {}): TaskDetails => ({
  taskId: freshId(),
  type: 'reindex',
  typeVersion: 1,
  status: 'waiting',
  version: 1,
  queue: 'default',
  labels: [],
  createdAt: Date.UTC(2024, 1, 29, 12),
  createdOn: 'front-end',
  updatedAt: Date.UTC(2024, 1, 29, 12),
  attempt: 0,
  ...given,
})

/** All items of a walk. */
export const allOf = async <Item>(walk: AsyncIterable<Item>): Promise<Item[]> => {
  const items: Item[] = []
  for await (const item of walk) items.push(item)
  return items
}

/** A listing on a session. */
export const listingOn = (session: Session, finishedRowsTtlMs = 0, pageRows?: number): CassandraTaskListing =>
  new CassandraTaskListing({
    session,
    share: session.share('the task listing'),
    bucketMs: defaultListBucketMs,
    finishedRowsTtlMs,
    pageRows,
  })
