import type { CallOptions, ListingPosition, TaskShard, TaskDetails, UnreadableRow } from '@taskledger/core/ports'
import { isFinalStatus, isUnreadableRow, shardOf } from '@taskledger/core/ports'
import type { FacetPartition } from './buckets.ts'
import { unfinishedBucketMs, unfinishedShards } from './buckets.ts'
import type { Facet } from './facets.ts'
import { everyTask, isRunning, runningTasks } from './facets.ts'
import { everything, positionOf, readDetails } from './rows.ts'
import { FacetedTable } from './faceted-table.ts'
import type { IndexTableOptions } from './index-table.ts'
import { removalTimestamp, versionTimestamp } from './timestamps.ts'
import type { Session, Statement } from '../../connection/session.ts'

/** How many rows are read at a time, with their details, and from how many partitions at once. */
const [defaultPageRows, partitionsAtOnce] = [100, 8]

/** All facets that an earlier version of a task may have a row for. */
const everyFacet: readonly Facet[] = [everyTask, runningTasks]

/**
 * The unfinished tasks: a row for each task until its end, and a second row while it runs. Rows come and go and leave
 * tombstones, so partitions are small, and the index says which of them may still have rows. A task that has waited for
 * a month is found without a walk through the month.
 */
export class UnfinishedTable {
  readonly table: FacetedTable
  readonly #session: Session
  readonly #pageRows: number

  constructor(session: Session, { pageRows = defaultPageRows }: Pick<IndexTableOptions, 'pageRows'> = {}) {
    const names = { rows: 'task_unfinished', index: 'task_unfinished_bucket' }
    this.table = new FacetedTable(session, { ...names, bucketMs: unfinishedBucketMs, shards: unfinishedShards, pageRows })
    this.#pageRows = Math.min(pageRows, defaultPageRows)
    this.#session = session
  }

  /** Makes sure that a walk finds the partition of the task, unless the task has ended. */
  async ensureIndexed(details: TaskDetails): Promise<void> {
    if (isFinalStatus(details.status)) return
    await this.table.ensureIndexed(details, isRunning(details.status) ? everyFacet : [everyTask])
  }

  /** The statements that write a task, or delete it when it has ended, all in one partition. */
  upserts(details: TaskDetails, text: string): readonly Statement[] {
    const { status, attempt } = details
    const deletion = (facet: Facet): Statement => this.table.deletion(details, facet, versionTimestamp(details.createdAt, details.version))
    if (isFinalStatus(status)) return everyFacet.map(deletion)
    if (isRunning(status)) return everyFacet.map((facet) => this.table.upsert(details, facet, text, 0))
    const row = this.table.upsert(details, everyTask, text, 0)
    // A task that never began has no row of an earlier run.
    return attempt === 0 ? [row] : [row, deletion(runningTasks)]
  }

  async remove(position: ListingPosition, options: CallOptions): Promise<void> {
    const deletions = everyFacet.map((facet) => this.table.deletion(position, facet, removalTimestamp(position.createdAt)))
    await this.#session.batch(deletions, { ...options, isRepeatable: true })
  }

  /** The unfinished tasks of a shard, a page at a time. */
  async *walk(shard: TaskShard, options: CallOptions): AsyncGenerator<readonly (TaskDetails | UnreadableRow)[], void, undefined> {
    let group: FacetPartition[] = []
    for await (const partition of this.table.partitions([everyTask], tableShardsOf(shard), everything, options)) {
      group.push(partition)
      if (group.length < partitionsAtOnce) continue
      yield* this.#walkGroup(group, shard, options)
      group = []
    }
    yield* this.#walkGroup(group, shard, options)
  }

  async *#walkGroup(
    group: readonly FacetPartition[],
    { shard, of }: TaskShard,
    options: CallOptions,
  ): AsyncGenerator<readonly (TaskDetails | UnreadableRow)[], void, undefined> {
    const pageRows = this.#pageRows
    const firstPages = await Promise.all(group.map((partition) => this.table.wholeRows(partition, everything, pageRows, options)))
    for (const [index, partition] of group.entries()) {
      let rows = firstPages[index] ?? []
      for (;;) {
        const ofShard = rows.filter((row) => shardOf(positionOf(row).taskId, of) === shard)
        const tasks = ofShard.map(readDetails).filter((row) => isUnreadableRow(row) || !isFinalStatus(row.status))
        if (tasks.length > 0) yield tasks
        const last = rows.at(-1)
        if (last === undefined || rows.length < pageRows) break
        rows = await this.table.wholeRows(partition, { ...everything, after: positionOf(last) }, pageRows, options)
      }
    }
  }
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b))

/**
 * The shards of the table that may have tasks of the port's shard. Both shards are remainders of the same hash, so they
 * agree modulo the greatest common divisor of `of` and the number of the table's shards. With an `of` of 1, 2, 4, 8 or
 * 16 no row of another shard is read; with an odd `of` all rows are.
 */
export const tableShardsOf = ({ shard, of }: TaskShard): readonly number[] => {
  const divisor = greatestCommonDivisor(of, unfinishedShards)
  return Array.from({ length: unfinishedShards }, (_, index) => index).filter((index) => index % divisor === shard % divisor)
}
