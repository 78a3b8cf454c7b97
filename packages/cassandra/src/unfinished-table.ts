import type { CallOptions, ListingPosition, Shard, TaskDetails } from '@taskledger/core/ports'
import { isFinalStatus, shardOf } from '@taskledger/core/ports'
import type { Partition } from './listing-buckets.ts'
import { bucketOf, comparePartitions, unfinishedBucketMs, unfinishedPartitionOf, unfinishedShards } from './listing-buckets.ts'
import type { Facet } from './listing-facets.ts'
import { everyTask, isRunning, runningTasks } from './listing-facets.ts'
import type { SortedPage } from './listing-merge.ts'
import { mergeSorted } from './listing-merge.ts'
import type { ListedRow, RowTable, Stretch } from './listing-rows.ts'
import { dateOf, everything, positionOf, readDetails, readManyDetails } from './listing-rows.ts'
import type { ListingSession } from './listing-session.ts'
import { clockTimestamp, removalTimestamp, versionTimestamp } from './listing-timestamps.ts'
import { mayForget, PartitionIndex } from './partition-index.ts'
import type { Row, Statement } from './session.ts'
import { tableShardsOf } from './unfinished-shards.ts'

/** A partition of what is unfinished, seen by one facet. */
export interface UnfinishedPartition extends Partition {
  readonly facet: Facet
  /** When its index row was last written, in milliseconds since 1970. */
  readonly seen: number
}

/** How many index rows are read at a time, how many rows with their details, and of how many partitions at once. */
const [indexRows, pageRows, partitionsAtOnce] = [32, 100, 8]

/**
 * What is unfinished: a row for each task until its end, and another while it runs. Rows come and go, and their partition is left
 * behind empty with their tombstones: so partitions are small, and an index for each facet says which of them may still hold something. A task
 * that has waited for a month is found in its minute without a walk through the month.
 */
export class UnfinishedTable {
  readonly #session: ListingSession
  readonly #index = new PartitionIndex()
  readonly #cql: ReturnType<typeof statementsOf>

  constructor(session: ListingSession) {
    this.#session = session
    this.#cql = statementsOf(session)
  }

  /** Sees to it that a walk by any facet of the task finds its partition. */
  async note({ taskId, createdAt, status }: TaskDetails): Promise<void> {
    const { bucket, shard } = unfinishedPartitionOf(taskId, createdAt)
    const facets = isRunning(status) ? [everyTask, runningTasks] : [everyTask]
    const noted = facets.map((facet) =>
      this.#index.note(`${bucket} ${shard} ${facet}`, async (seen) => {
        const params = [this.#session.prefix, facet, shard, new Date(bucket), new Date(seen), clockTimestamp(seen)]
        await this.#session.execute(this.#cql.insertIndex, params, { isRepeatable: true })
      }),
    )
    await Promise.all(noted)
  }

  /** The statements that write a task, or at its end delete it, all of one partition. */
  upserts(details: TaskDetails, text: string): readonly Statement[] {
    const { createdAt, version, status, attempt } = details
    const timestamp = versionTimestamp(createdAt, version)
    if (isFinalStatus(status)) return [everyTask, runningTasks].map((facet) => this.#deletion(details, facet, timestamp))
    const row = { cql: this.#cql.insertRow, params: [...this.#keyOf(details, everyTask), version, status, text, timestamp] }
    if (isRunning(status))
      return [row, { cql: this.#cql.insertFacet, params: [...this.#keyOf(details, runningTasks), version, status, timestamp] }]
    // Before the first attempt there is nothing to delete, in no older version.
    return attempt === 0 ? [row] : [row, this.#deletion(details, runningTasks, timestamp)]
  }

  async remove(position: ListingPosition, options: CallOptions): Promise<void> {
    const timestamp = removalTimestamp(position.createdAt)
    const deletions = [everyTask, runningTasks].map((facet) => this.#deletion(position, facet, timestamp))
    await this.#session.batch(deletions, { ...options, isRepeatable: true })
  }

  /** The list of what is unfinished, as a facet shows it. */
  by(facet: Facet): RowTable<UnfinishedPartition> {
    const shards = Array.from({ length: unfinishedShards }, (_, shard) => shard)
    return {
      partitions: (stretch, options) => this.#partitionsOf(facet, shards, stretch, options),
      rows: async (partition, stretch, limit, options) => {
        const rows = await this.#rows(this.#cql.selectRows, partition, stretch, limit, options)
        const items = rows.map((row): ListedRow<UnfinishedPartition> => ({ ...positionOf(row), partition, status: String(row['status']) }))
        return { items, more: rows.length === limit }
      },
      details: (partition, rows, options) => {
        const key = [this.#session.prefix, new Date(partition.bucket), partition.shard, everyTask]
        return readManyDetails(this.#session, this.#cql.selectDetails, key, rows, options)
      },
    }
  }

  /** The unfinished tasks of a shard, some at a time. */
  async *walk(shard: Shard, options: CallOptions): AsyncGenerator<readonly TaskDetails[], void, undefined> {
    let group: UnfinishedPartition[] = []
    for await (const partition of this.#partitionsOf(everyTask, tableShardsOf(shard), everything, options)) {
      group.push(partition)
      if (group.length < partitionsAtOnce) continue
      yield* this.#walkGroup(group, shard, options)
      group = []
    }
    yield* this.#walkGroup(group, shard, options)
  }

  async *#walkGroup(
    group: readonly UnfinishedPartition[],
    { shard, of }: Shard,
    options: CallOptions,
  ): AsyncGenerator<readonly TaskDetails[], void, undefined> {
    const read = (partition: UnfinishedPartition, stretch: Stretch): Promise<readonly Row[]> =>
      this.#rows(this.#cql.selectWhole, partition, stretch, pageRows, options)
    const firstPages = await Promise.all(group.map((partition) => read(partition, everything)))
    for (const [index, partition] of group.entries()) {
      let rows = firstPages[index] ?? []
      for (;;) {
        const its = rows.filter((row) => shardOf(positionOf(row).taskId, of) === shard)
        const tasks = its.flatMap((row) => readDetails(row, this.#session.logger) ?? []).filter(({ status }) => !isFinalStatus(status))
        if (tasks.length > 0) yield tasks
        const last = rows.at(-1)
        if (last === undefined || rows.length < pageRows) break
        rows = await read(partition, { ...everything, after: positionOf(last) })
      }
    }
  }

  #partitionsOf(facet: Facet, shards: readonly number[], stretch: Stretch, options: CallOptions): AsyncIterable<UnfinishedPartition> {
    return mergeSorted(
      shards.map((shard) => (last) => this.#partitions(facet, shard, stretch, last, options)),
      comparePartitions,
    )
  }

  async #partitions(
    facet: Facet,
    shard: number,
    { after, since }: Stretch,
    last: UnfinishedPartition | undefined,
    options: CallOptions,
  ): Promise<SortedPage<UnfinishedPartition>> {
    const before = last === undefined ? bucketOf(after.createdAt, unfinishedBucketMs) + unfinishedBucketMs : last.bucket
    const params = [this.#session.prefix, facet, shard, dateOf(before), dateOf(bucketOf(since, unfinishedBucketMs)), indexRows]
    const rows = await this.#session.execute(this.#cql.selectIndex, params, options)
    const items = rows.map((row) => ({
      bucket: (row['bucket'] as Date).getTime(),
      facet,
      shard,
      seen: (row['seen'] as Date | null)?.getTime() ?? 0,
    }))
    return { items, more: rows.length === indexRows }
  }

  async #rows(
    cql: string,
    partition: UnfinishedPartition,
    { after, since }: Stretch,
    limit: number,
    options: CallOptions,
  ): Promise<readonly Row[]> {
    const { bucket, shard, facet } = partition
    const scanBegan = Date.now()
    const key = [this.#session.prefix, new Date(bucket), shard, facet]
    const rows = await this.#session.execute(cql, [...key, dateOf(after.createdAt), after.taskId, dateOf(since), limit], options)
    const isWhole = after.createdAt >= bucket + unfinishedBucketMs && since <= bucket
    if (rows.length === 0 && isWhole && mayForget(partition, scanBegan)) await this.#forget(partition, options)
    return rows
  }

  /** Without the index row no later walk comes here. See {@link PartitionIndex} for why nothing is lost. */
  async #forget({ bucket, shard, facet, seen }: UnfinishedPartition, options: CallOptions): Promise<void> {
    const params = [clockTimestamp(seen), this.#session.prefix, facet, shard, new Date(bucket)]
    await this.#session.execute(this.#cql.removeIndex, params, { ...options, isRepeatable: true })
  }

  #deletion(position: ListingPosition, facet: Facet, timestamp: string): Statement {
    return { cql: this.#cql.remove, params: [timestamp, ...this.#keyOf(position, facet)] }
  }

  #keyOf({ taskId, createdAt }: ListingPosition, facet: Facet): readonly unknown[] {
    const { bucket, shard } = unfinishedPartitionOf(taskId, createdAt)
    return [this.#session.prefix, new Date(bucket), shard, facet, new Date(createdAt), taskId]
  }
}

const statementsOf = (session: ListingSession) => {
  const [rows, index] = [session.table('task_unfinished'), session.table('task_unfinished_bucket')]
  const columns = 'prefix, bucket, shard, facet, created_at, task_id, version, status'
  const partition = 'prefix = ? AND bucket = ? AND shard = ? AND facet = ?'
  const stretch = `${partition} AND (created_at, task_id) < (?, ?) AND (created_at) >= (?) LIMIT ?`
  return {
    insertRow: `INSERT INTO ${rows} (${columns}, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?`,
    insertFacet: `INSERT INTO ${rows} (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?`,
    remove: `DELETE FROM ${rows} USING TIMESTAMP ? WHERE ${partition} AND created_at = ? AND task_id = ?`,
    selectRows: `SELECT created_at, task_id, status FROM ${rows} WHERE ${stretch}`,
    selectWhole: `SELECT created_at, task_id, details FROM ${rows} WHERE ${stretch}`,
    selectDetails: `SELECT created_at, task_id, details FROM ${rows} WHERE ${partition} AND (created_at, task_id) IN ?`,
    insertIndex: `INSERT INTO ${index} (prefix, facet, shard, bucket, seen) VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ?`,
    removeIndex: `DELETE FROM ${index} USING TIMESTAMP ? WHERE prefix = ? AND facet = ? AND shard = ? AND bucket = ?`,
    selectIndex: `SELECT bucket, seen FROM ${index} WHERE prefix = ? AND facet = ? AND shard = ? AND bucket < ? AND bucket >= ? LIMIT ?`,
  }
}
