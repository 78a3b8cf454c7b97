import type { TaskDetails, TaskFilter, UnreadableRow } from '@taskledger/core/ports'
import { isUnreadableRow, matches } from '@taskledger/core/ports'
import type { FacetRows } from './tables/faceted-table.ts'
import type { ListedRow, Stretch } from './tables/rows.ts'
import type { WalkOptions } from './walk.ts'
import { detailsOfRows, walkRows } from './walk.ts'

/** The maximum number of rows that the first request to a partition asks for, and of details that are read at once. */
const defaultMaxRows = 200

/** The first tasks of a stretch that match the filter, and the rows that cannot be read, at most `limit`. */
export const readTasks = async (
  table: FacetRows,
  filter: TaskFilter,
  stretch: Stretch,
  limit: number,
  options: Omit<WalkOptions, 'askRows'>,
): Promise<readonly (TaskDetails | UnreadableRow)[]> => {
  const maxRows = Math.min(options.pageRows ?? Infinity, defaultMaxRows)
  const rows = walkRows(table, stretch, { ...options, askRows: Math.min(limit, maxRows) })
  const found: (TaskDetails | UnreadableRow)[] = []
  try {
    let ask = 0
    for (;;) {
      // As many as are missing. If the filter refused rows, at least twice as many as the last time.
      ask = Math.min(Math.max(limit - found.length, 2 * ask), maxRows)
      const candidates = await takeRows(rows, ask, filter)
      const details = await detailsOfRows(table, candidates, options)
      found.push(...details.filter((row) => isUnreadableRow(row) || matches(row, filter)))
      if (found.length >= limit || candidates.length < ask) return found.slice(0, limit)
    }
  } finally {
    await rows.return()
  }
}

/** The next rows with one of the filter's statuses: the details of the others need not be read. */
const takeRows = async (
  rows: AsyncGenerator<ListedRow, void, undefined>,
  count: number,
  { statuses }: TaskFilter,
): Promise<readonly ListedRow[]> => {
  const taken: ListedRow[] = []
  while (taken.length < count) {
    const { value: row } = await rows.next()
    if (row === undefined) break
    if (statuses === undefined || (statuses as readonly string[]).includes(row.status)) taken.push(row)
  }
  return taken
}
