import { decodeDetails } from '@taskledger/core/codec'
import type { ListingPosition, Logger, TaskDetails, TaskId } from '@taskledger/core/ports'
import { codeOf } from '@taskledger/core/ports'
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

/**
 * Reads the details of a row. Details that cannot be read or belong to another task are logged and left out: they must
 * not hide the other rows.
 */
export const readDetails = (row: Row, logger: Logger): TaskDetails | undefined => {
  const { createdAt, taskId } = positionOf(row)
  try {
    const details = decodeDetails(String(row['details']))
    if (details.taskId === taskId && details.createdAt === createdAt) return details
    logger.warn({ taskId, createdAt }, 'left out a row of the listing: its details belong to another task')
  } catch (err) {
    if (codeOf(err) !== 'MALFORMED') throw err
    logger.warn({ err, taskId, createdAt }, 'left out a row of the listing: its details cannot be read')
  }
  return undefined
}
