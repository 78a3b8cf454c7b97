import { decodeRow } from '@taskledger/core/codec'
import type { ListingPosition, TaskDetails, TaskId, UnreadableRow } from '@taskledger/core/ports'
import type { Row } from '../../connection/session.ts'
import type { FacetPartition } from './buckets.ts'

/** A row without its details: enough to place it in the list. */
export interface ListedRow extends ListingPosition {
  readonly partition: FacetPartition
  readonly status: string
}

/** A stretch of a list: the tasks that come after a position and were created at `since` or later. */
export interface Stretch {
  readonly after: ListingPosition
  readonly since: number
}

/** The latest time that both Cassandra and JavaScript can represent. */
const maxTime = 8.64e15

/** The whole list, from the newest task to the oldest. */
export const everything: Stretch = { after: { createdAt: maxTime, taskId: '' as TaskId }, since: -maxTime }

/**
 * The time as a date, limited to what JavaScript can represent: the first and the last bucket begin or end beyond that.
 */
export const dateOf = (time: number): Date => new Date(Math.min(Math.max(time, -maxTime), maxTime))

/** Reads the columns that order the rows. */
export const positionOf = (row: Row): ListingPosition => ({
  createdAt: (row['created_at'] as Date).getTime(),
  taskId: row['task_id'] as TaskId,
})

/** Reads the details of a row. */
export const readDetails = (row: Row): TaskDetails | UnreadableRow => decodeRow(String(row['details']), positionOf(row))
