import { decodeDetails } from '@taskledger/core/codec'
import type { CallOptions, ListingPosition, Logger, TaskDetails, TaskId } from '@taskledger/core/ports'
import { codeOf } from '@taskledger/core/ports'
import type { Partition } from './buckets.ts'
import type { SortedPage } from './merge.ts'
import type { Row } from '../../connection/session.ts'

/** A row without its details: enough to know its place in the list. */
export interface ListedRow<Place extends Partition = Partition> extends ListingPosition {
  readonly partition: Place
  readonly status: string
}

/** A stretch of a list: what was created at `since` or later and comes after a position. */
export interface Stretch {
  readonly after: ListingPosition
  readonly since: number
}

/** The times that the engine and the language can both tell. */
const maxTime = 8.64e15

/** From the newest to the oldest. */
export const everything: Stretch = { after: { createdAt: maxTime, taskId: '' as TaskId }, since: -maxTime }

/** A table whose partitions hold rows, the newest first. */
export interface RowTable<Place extends Partition> {
  /** The partitions that may hold something of the stretch, the newest bucket first. */
  partitions(stretch: Stretch, options: CallOptions): AsyncIterable<Place>
  /** Rows of a partition that are in the stretch, at most so many. */
  rows(partition: Place, stretch: Stretch, limit: number, options: CallOptions): Promise<SortedPage<ListedRow<Place>>>
  /** The details of rows of one partition. What has gone since, and what cannot be read, is not among them. */
  details(partition: Place, rows: readonly ListingPosition[], options: CallOptions): Promise<readonly TaskDetails[]>
}

/** A time that the language can tell: buckets at the ends of all time begin beyond it. */
export const dateOf = (time: number): Date => new Date(Math.min(Math.max(time, -maxTime), maxTime))

/** Reads the columns that a row is ordered by. */
export const positionOf = (row: Row): ListingPosition => ({
  createdAt: (row['created_at'] as Date).getTime(),
  taskId: row['task_id'] as TaskId,
})

/**
 * Reads the details of a row. One that cannot be read, or tells of another task, is told of and left out: it must not hide the others.
 */
export const readDetails = (row: Row, logger: Logger): TaskDetails | undefined => {
  const { createdAt, taskId } = positionOf(row)
  try {
    const details = decodeDetails(String(row['details']))
    if (details.taskId === taskId && details.createdAt === createdAt) return details
    logger.warn({ taskId, createdAt }, 'a row of the listing has the details of another task; it is left out')
  } catch (err) {
    if (codeOf(err) !== 'MALFORMED') throw err
    logger.warn({ err, taskId, createdAt }, 'a row of the listing cannot be read; it is left out')
  }
  return undefined
}
