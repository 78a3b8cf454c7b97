import type { CallOptions, TaskDetails, TaskId } from '@taskledger/core/ports'
import { compareListed } from '@taskledger/core/ports'
import type { Partition } from './tables/buckets.ts'
import { mergeSorted } from './tables/merge.ts'
import type { ListedRow, RowTable, Stretch } from './tables/rows.ts'

export interface WalkOptions extends CallOptions {
  /** How many rows to ask a partition for, the first time. */
  readonly pageRows: number
}

/** How many partitions are read at once, to begin with and at most. */
const [fewPartitions, manyPartitions] = [4, 64]

/** How many rows are asked for at a time, at most. They are short. */
const maxRows = 1_000

/**
 * Walks the rows of a stretch, the newest first. Most lists end in their first bucket; the longer a walk goes on, the thinner the buckets
 * are, and the more of them are read at once.
 */
export const walkRows = async function* <Place extends Partition>(
  table: RowTable<Place>,
  stretch: Stretch,
  { pageRows, ...options }: WalkOptions,
): AsyncGenerator<ListedRow<Place>, void, undefined> {
  for await (const group of wholeBuckets(table.partitions(stretch, options))) {
    const sources = group.map((partition) => {
      let ask = pageRows
      return (last: ListedRow<Place> | undefined) => {
        const page = table.rows(partition, last === undefined ? stretch : { ...stretch, after: last }, ask, options)
        // Whoever comes back wants many: most rows are of no use to him.
        ask = Math.max(ask, Math.min(2 * ask, maxRows))
        return page
      }
    })
    yield* mergeSorted(sources, compareListed)
  }
}

/** Groups of partitions, each twice the one before. A bucket is not torn apart: its partitions hold what was created at the same time. */
export const wholeBuckets = async function* <Place extends Partition>(
  partitions: AsyncIterable<Place>,
): AsyncGenerator<readonly Place[], void, undefined> {
  let atLeast = fewPartitions
  let group: Place[] = []
  for await (const partition of partitions) {
    if (group.length >= atLeast && group.at(-1)?.bucket !== partition.bucket) {
      yield group
      group = []
      atLeast = Math.min(2 * atLeast, manyPartitions)
    }
    group.push(partition)
  }
  if (group.length > 0) yield group
}

/** The details of rows, in their order; each partition is asked once. Rows that have gone or cannot be read are left out. */
export const detailsOfRows = async <Place extends Partition>(
  table: RowTable<Place>,
  rows: readonly ListedRow<Place>[],
  options: CallOptions,
): Promise<readonly TaskDetails[]> => {
  const byPartition = new Map<Place, ListedRow<Place>[]>()
  for (const row of rows) {
    const others = byPartition.get(row.partition)
    if (others === undefined) byPartition.set(row.partition, [row])
    else others.push(row)
  }
  const read = await Promise.all(Array.from(byPartition, ([partition, its]) => table.details(partition, its, options)))
  const byId = new Map<TaskId, TaskDetails>(read.flat().map((details) => [details.taskId, details]))
  return rows.flatMap(({ taskId }) => byId.get(taskId) ?? [])
}
