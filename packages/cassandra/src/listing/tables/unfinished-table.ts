import type { CallOptions, ListingPosition, TaskShard, TaskDetails } from '@taskledger/core/ports'
import { isFinalStatus, shardOf } from '@taskledger/core/ports'
import { unfinishedBucketMs, unfinishedShards } from './buckets.ts'
import type { Facet } from './facets.ts'
import { everyTask, isRunning, runningTasks } from './facets.ts'
import { everything, positionOf, readDetails } from './rows.ts'
import type { FacetPartition } from './faceted-table.ts'
import { FacetedTable } from './faceted-table.ts'
import { removalTimestamp, versionTimestamp } from './timestamps.ts'
import type { Session, Statement } from '../../connection/session.ts'

/** How many rows are read at a time, with their details, and of how many partitions at once. */
const [pageRows, partitionsAtOnce] = [100, 8]

/** All facets that a row of an earlier version may have. */
const everyFacet: readonly Facet[] = [everyTask, runningTasks]

/**
 * What is unfinished: a row for each task until its end, and another while it runs. Rows come and go, and their partition is left
 * behind empty with their tombstones: so partitions are small, and the index says which of them may still hold something. A task that has
 * waited for a month is found in its minute without a walk through the month.
 */
export class UnfinishedTable {
  readonly table: FacetedTable
  readonly #session: Session

  constructor(session: Session) {
    const names = { rows: 'task_unfinished', index: 'task_unfinished_bucket' }
    this.table = new FacetedTable(session, { ...names, bucketMs: unfinishedBucketMs, shards: unfinishedShards })
    this.#session = session
  }

  async note(details: TaskDetails): Promise<void> {
    if (isFinalStatus(details.status)) return
    await this.table.note(details, isRunning(details.status) ? everyFacet : [everyTask])
  }

  /** The statements that write a task, or at its end delete it, all of one partition. */
  upserts(details: TaskDetails, text: string): readonly Statement[] {
    const { status, attempt } = details
    const deletion = (facet: Facet): Statement => this.table.deletion(details, facet, versionTimestamp(details.createdAt, details.version))
    if (isFinalStatus(status)) return everyFacet.map(deletion)
    if (isRunning(status)) return everyFacet.map((facet) => this.table.upsert(details, facet, text, 0))
    const row = this.table.upsert(details, everyTask, text, 0)
    // No older version of a task that never began has run.
    return attempt === 0 ? [row] : [row, deletion(runningTasks)]
  }

  async remove(position: ListingPosition, options: CallOptions): Promise<void> {
    const deletions = everyFacet.map((facet) => this.table.deletion(position, facet, removalTimestamp(position.createdAt)))
    await this.#session.batch(deletions, { ...options, isRepeatable: true })
  }

  /** The unfinished tasks of a shard, some at a time. */
  async *walk(shard: TaskShard, options: CallOptions): AsyncGenerator<readonly TaskDetails[], void, undefined> {
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
  ): AsyncGenerator<readonly TaskDetails[], void, undefined> {
    const firstPages = await Promise.all(group.map((partition) => this.table.wholeRows(partition, everything, pageRows, options)))
    for (const [index, partition] of group.entries()) {
      let rows = firstPages[index] ?? []
      for (;;) {
        const its = rows.filter((row) => shardOf(positionOf(row).taskId, of) === shard)
        const tasks = its.flatMap((row) => readDetails(row, this.#session.logger) ?? []).filter(({ status }) => !isFinalStatus(status))
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
 * The shards of the table that may hold tasks of a shard of the port's. Both are remainders of one hash: where `of` and the table's number
 * have a common divisor, the remainders by that divisor agree. An `of` of 1, 2, 4, 8 or 16 is met exactly, an odd one reads all.
 */
export const tableShardsOf = ({ shard, of }: TaskShard): readonly number[] => {
  const divisor = greatestCommonDivisor(of, unfinishedShards)
  return Array.from({ length: unfinishedShards }, (_, index) => index).filter((index) => index % divisor === shard % divisor)
}
