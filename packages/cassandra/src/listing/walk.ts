import type { CallOptions, TaskDetails, TaskLife, UnreadableRow } from '@taskledger/core/ports'
import { compareListed } from '@taskledger/core/ports'
import type { FacetPartition } from './tables/buckets.ts'
import type { FacetRows } from './tables/faceted-table.ts'
import { mergeSorted } from './tables/merge.ts'
import type { ListedRow, Stretch } from './tables/rows.ts'

export interface WalkOptions extends CallOptions {
  /** How many rows the first request to a partition asks for. */
  readonly askRows: number
  /** The largest number of rows that is read at a time. Default: what suits each request. */
  readonly pageRows?: number | undefined
}

/** How many partitions are read at once: in the first group, and in the largest. */
const [minPartitions, maxPartitions] = [4, 64]

/** The maximum number of rows that a request asks for. They are short. */
const defaultMaxRows = 1_000

/**
 * Walks the rows of a stretch, the newest first. Most lists end in their first bucket. A longer walk means that the
 * buckets have few rows, so more of them are read at once.
 */
export const walkRows = async function* (
  table: FacetRows,
  stretch: Stretch,
  { askRows, pageRows = defaultMaxRows, ...options }: WalkOptions,
): AsyncGenerator<ListedRow, void, undefined> {
  for await (const group of wholeBuckets(table.partitions(stretch, options))) {
    const sources = group.map((partition) => {
      let ask = askRows
      return (last: ListedRow | undefined) => {
        const page = table.rows(partition, last === undefined ? stretch : { ...stretch, after: last }, ask, options)
        // A reader that comes back needs many rows, mostly because the filter refuses them.
        ask = Math.max(ask, Math.min(2 * ask, pageRows))
        return page
      }
    })
    yield* mergeSorted(sources, compareListed)
  }
}

/**
 * Groups partitions; each group is about twice the size of the last. A bucket stays in one group, because its tasks
 * were created at the same time.
 */
export const wholeBuckets = async function* (
  partitions: AsyncIterable<FacetPartition>,
): AsyncGenerator<readonly FacetPartition[], void, undefined> {
  let minSize = minPartitions
  let group: FacetPartition[] = []
  for await (const partition of partitions) {
    if (group.length >= minSize && group.at(-1)?.bucket !== partition.bucket) {
      yield group
      group = []
      minSize = Math.min(2 * minSize, maxPartitions)
    }
    group.push(partition)
  }
  if (group.length > 0) yield group
}

/**
 * The details of rows, in their order, with one call for each partition. Rows that are gone are left out.
 */
export const detailsOfRows = async (
  table: FacetRows,
  rows: readonly ListedRow[],
  options: CallOptions,
): Promise<readonly (TaskDetails | UnreadableRow)[]> => {
  const byPartition = new Map<FacetPartition, ListedRow[]>()
  for (const row of rows) {
    const others = byPartition.get(row.partition)
    if (others === undefined) byPartition.set(row.partition, [row])
    else others.push(row)
  }
  const read = await Promise.all(Array.from(byPartition, ([partition, rows]) => table.details(partition, rows, options)))
  // By life, not by id: after a purge a row without details may have stayed, and the same id may be used again.
  const byLife = new Map(read.flat().map((details) => [lifeKeyOf(details), details]))
  return rows.flatMap((row) => byLife.get(lifeKeyOf(row)) ?? [])
}

const lifeKeyOf = ({ taskId, createdAt }: TaskLife): string => `${taskId} ${createdAt}`
