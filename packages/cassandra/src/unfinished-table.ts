import type { CallOptions, ListingPosition, Shard, TaskDetails } from '@taskledger/core/ports'
import { isFinalStatus, shardOf } from '@taskledger/core/ports'
import type { Partition } from './listing-buckets.ts'
import { bucketOf, comparePartitions, unfinishedBucketMs, unfinishedPartitionOf, unfinishedShards } from './listing-buckets.ts'
import type { SortedPage } from './listing-merge.ts'
import { mergeSorted } from './listing-merge.ts'
import type { ListedRow, RowTable, Stretch } from './listing-rows.ts'
import { dateOf, everything, positionOf, readDetails, readManyDetails } from './listing-rows.ts'
import type { ListingSession } from './listing-session.ts'
import { clockTimestamp, removalTimestamp, versionTimestamp } from './listing-timestamps.ts'
import { mayForget, PartitionIndex } from './partition-index.ts'
import type { Row, Statement } from './session.ts'
import { tableShardsOf } from './unfinished-shards.ts'

/** A partition of what is unfinished. */
export interface UnfinishedPartition extends Partition {
  /** When its index row was last written, in milliseconds since 1970. */
  readonly seen: number
}

/** How many index rows are read at a time, how many rows with their details, and of how many partitions at once. */
const [indexRows, pageRows, partitionsAtOnce] = [32, 100, 8]

/**
 * What is unfinished: a row for each task, until its end. A row comes once and goes once, and its partition is left behind empty with the
 * tombstones of the rows: so partitions are small, and an index says which of them may still hold something. A task that has waited for a
 * month is found in its minute without a walk through the month.
 */
export class UnfinishedTable {
  readonly #session: ListingSession
  readonly #index = new PartitionIndex()
  readonly #cql: ReturnType<typeof statementsOf>

  constructor(session: ListingSession) {
    this.#session = session
    this.#cql = statementsOf(session)
  }

  /** Sees to it that a walk finds the partition of the task. */
  async note({ taskId, createdAt }: ListingPosition): Promise<void> {
    const { bucket, shard } = unfinishedPartitionOf(taskId, createdAt)
    await this.#index.note(`${bucket} ${shard}`, async (seen) => {
      const params = [this.#session.prefix, shard, new Date(bucket), new Date(seen), clockTimestamp(seen)]
      await this.#session.execute(this.#cql.insertIndex, params, { isRepeatable: true })
    })
  }

  /** The statement that writes a task, or at its end deletes it. */
  upsert(details: TaskDetails, text: string): Statement {
    const { taskId, createdAt, version, status } = details
    const timestamp = versionTimestamp(createdAt, version)
    if (isFinalStatus(status)) return this.#deletion(details, timestamp)
    return { cql: this.#cql.insert, params: [...this.#keyOf({ taskId, createdAt }), version, status, text, timestamp] }
  }

  async remove(position: ListingPosition, options: CallOptions): Promise<void> {
    const { cql, params } = this.#deletion(position, removalTimestamp(position.createdAt))
    await this.#session.execute(cql, params, { ...options, isRepeatable: true })
  }

  /** The list of all that is unfinished. */
  list(): RowTable<UnfinishedPartition> {
    const shards = Array.from({ length: unfinishedShards }, (_, shard) => shard)
    return {
      partitions: (stretch, options) => this.#partitionsOf(shards, stretch, options),
      rows: async (partition, stretch, limit, options) => {
        const rows = await this.#rows(this.#cql.selectRows, partition, stretch, limit, options)
        const items = rows.map((row): ListedRow<UnfinishedPartition> => ({ ...positionOf(row), partition, status: String(row['status']) }))
        return { items, more: rows.length === limit }
      },
      details: (partition, rows, options) => {
        const key = [this.#session.prefix, new Date(partition.bucket), partition.shard]
        return readManyDetails(this.#session, this.#cql.selectDetails, key, rows, options)
      },
    }
  }

  /** The unfinished tasks of a shard, some at a time. */
  async *walk(shard: Shard, options: CallOptions): AsyncGenerator<readonly TaskDetails[], void, undefined> {
    let group: UnfinishedPartition[] = []
    for await (const partition of this.#partitionsOf(tableShardsOf(shard), everything, options)) {
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

  #partitionsOf(shards: readonly number[], stretch: Stretch, options: CallOptions): AsyncIterable<UnfinishedPartition> {
    return mergeSorted(
      shards.map((shard) => (last) => this.#partitions(shard, stretch, last, options)),
      comparePartitions,
    )
  }

  async #partitions(
    shard: number,
    { after, since }: Stretch,
    last: UnfinishedPartition | undefined,
    options: CallOptions,
  ): Promise<SortedPage<UnfinishedPartition>> {
    const before = last === undefined ? bucketOf(after.createdAt, unfinishedBucketMs) + unfinishedBucketMs : last.bucket
    const params = [this.#session.prefix, shard, dateOf(before), dateOf(bucketOf(since, unfinishedBucketMs)), indexRows]
    const rows = await this.#session.execute(this.#cql.selectIndex, params, options)
    const items = rows.map((row) => ({
      bucket: (row['bucket'] as Date).getTime(),
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
    const { bucket, shard } = partition
    const scanBegan = Date.now()
    const key = [this.#session.prefix, new Date(bucket), shard]
    const rows = await this.#session.execute(cql, [...key, dateOf(after.createdAt), after.taskId, dateOf(since), limit], options)
    const isWhole = after.createdAt >= bucket + unfinishedBucketMs && since <= bucket
    if (rows.length === 0 && isWhole && mayForget(partition, scanBegan)) await this.#forget(partition, options)
    return rows
  }

  /** Without the index row no later walk comes here. See {@link PartitionIndex} for why nothing is lost. */
  async #forget({ bucket, shard, seen }: UnfinishedPartition, options: CallOptions): Promise<void> {
    const params = [clockTimestamp(seen), this.#session.prefix, shard, new Date(bucket)]
    await this.#session.execute(this.#cql.removeIndex, params, { ...options, isRepeatable: true })
  }

  #deletion(position: ListingPosition, timestamp: string): Statement {
    return { cql: this.#cql.remove, params: [timestamp, ...this.#keyOf(position)] }
  }

  #keyOf({ taskId, createdAt }: ListingPosition): readonly unknown[] {
    const { bucket, shard } = unfinishedPartitionOf(taskId, createdAt)
    return [this.#session.prefix, new Date(bucket), shard, new Date(createdAt), taskId]
  }
}

const statementsOf = (session: ListingSession) => {
  const [rows, index] = [session.table('task_unfinished'), session.table('task_unfinished_bucket')]
  const partition = 'prefix = ? AND bucket = ? AND shard = ?'
  const stretch = `${partition} AND (created_at, task_id) < (?, ?) AND (created_at) >= (?) LIMIT ?`
  return {
    insert: `INSERT INTO ${rows} (prefix, bucket, shard, created_at, task_id, version, status, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?`,
    remove: `DELETE FROM ${rows} USING TIMESTAMP ? WHERE ${partition} AND created_at = ? AND task_id = ?`,
    selectRows: `SELECT created_at, task_id, status FROM ${rows} WHERE ${stretch}`,
    selectWhole: `SELECT created_at, task_id, details FROM ${rows} WHERE ${stretch}`,
    selectDetails: `SELECT created_at, task_id, details FROM ${rows} WHERE ${partition} AND (created_at, task_id) IN ?`,
    insertIndex: `INSERT INTO ${index} (prefix, shard, bucket, seen) VALUES (?, ?, ?, ?) USING TIMESTAMP ?`,
    removeIndex: `DELETE FROM ${index} USING TIMESTAMP ? WHERE prefix = ? AND shard = ? AND bucket = ?`,
    selectIndex: `SELECT bucket, seen FROM ${index} WHERE prefix = ? AND shard = ? AND bucket < ? AND bucket >= ? LIMIT ?`,
  }
}
