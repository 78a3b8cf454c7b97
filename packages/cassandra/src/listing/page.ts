import type { CallOptions, TaskDetails, TaskFilter } from '@taskledger/core/ports'
import type { Partition } from './tables/buckets.ts'
import { meets } from './tables/facets.ts'
import type { ListedRow, RowTable, Stretch } from './tables/rows.ts'
import { detailsOfRows, walkRows } from './walk.ts'

/** How many rows a partition is asked for at a time, and how many details are read at once, at most. */
const manyRows = 200

/** The first tasks of a stretch that the filter lets through, so many at most. */
export const readTasks = async <Place extends Partition>(
  table: RowTable<Place>,
  filter: TaskFilter,
  stretch: Stretch,
  limit: number,
  options: CallOptions,
): Promise<readonly TaskDetails[]> => {
  const rows = walkRows(table, stretch, { ...options, pageRows: Math.min(limit, manyRows) })
  const found: TaskDetails[] = []
  try {
    let ask = 0
    for (;;) {
      // What is missing, and where rows were refused, more and more at a time.
      ask = Math.min(Math.max(limit - found.length, 2 * ask), manyRows)
      const candidates = await takeRows(rows, ask, filter)
      const details = await detailsOfRows(table, candidates, options)
      found.push(...details.filter((task) => meets(task, filter)))
      if (found.length >= limit || candidates.length < ask) return found.slice(0, limit)
    }
  } finally {
    await rows.return()
  }
}

/** The next rows whose status is asked for: those that have another need not be looked at more closely. */
const takeRows = async <Place extends Partition>(
  rows: AsyncGenerator<ListedRow<Place>, void, undefined>,
  count: number,
  { statuses }: TaskFilter,
): Promise<readonly ListedRow<Place>[]> => {
  const taken: ListedRow<Place>[] = []
  while (taken.length < count) {
    const { value: row } = await rows.next()
    if (row === undefined) break
    if (statuses === undefined || (statuses as readonly string[]).includes(row.status)) taken.push(row)
  }
  return taken
}
