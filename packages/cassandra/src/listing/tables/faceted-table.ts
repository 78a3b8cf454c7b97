import type { CallOptions, ListingPosition, TaskDetails, TaskId } from '@taskledger/core/ports'
import { shardOf } from '@taskledger/core/ports'
import { types } from 'cassandra-driver'
import type { Partition } from './buckets.ts'
import { bucketOf, comparePartitions } from './buckets.ts'
import type { Facet } from './facets.ts'
import { everyTask } from './facets.ts'
import type { SortedPage } from './merge.ts'
import { mergeSorted } from './merge.ts'
import type { RowTable, Stretch } from './rows.ts'
import { dateOf, positionOf, readDetails } from './rows.ts'
import { clockTimestamp, versionTimestamp } from './timestamps.ts'
import { mayForget, PartitionIndex } from './partition-index.ts'
import type { Row, Session, Statement } from '../../connection/session.ts'

/** A partition, seen by one facet. */
export interface FacetPartition extends Partition {
  readonly facet: Facet
  /** When its index row was last written, in milliseconds since 1970. */
  readonly seen: number
}

export interface FacetedTableOptions {
  /** The table of the rows. */
  readonly rows: string
  /** The table that says which partitions have rows of a facet. */
  readonly index: string
  /** How much creation time a bucket holds, in milliseconds. */
  readonly bucketMs: number
  /** How many partitions share a bucket. */
  readonly shards: number
}

/** How many index rows are read at a time, and how many details one request asks for. */
const [indexRows, detailsAtOnce] = [32, 50]

/**
 * A table in buckets of creation time. A task has a row with its details, and one for each of its facets: in the same partition, so that all
 * of them are written in one step. Each facet has an index of its own of the partitions that it occurs in: a label that three tasks
 * ever had is found by reading three partitions.
 */
export class FacetedTable {
  readonly #session: Session
  readonly #options: FacetedTableOptions
  readonly #index = new PartitionIndex()
  readonly #cql: ReturnType<typeof statementsOf>

  constructor(session: Session, options: FacetedTableOptions) {
    this.#session = session
    this.#options = options
    this.#cql = statementsOf(session, options)
  }

  /** The partition that a task stands in, for ever. */
  partitionOf({ taskId, createdAt }: ListingPosition): Partition {
    return { bucket: bucketOf(createdAt, this.#options.bucketMs), shard: shardOf(taskId, this.#options.shards) }
  }

  /** Sees to it that a walk by any of the facets finds the partition of the task. */
  async note(position: ListingPosition, facets: readonly Facet[]): Promise<void> {
    const { bucket, shard } = this.partitionOf(position)
    const noted = facets.map((facet) =>
      this.#index.note(`${bucket} ${shard} ${facet}`, async (seen) => {
        const params = [this.#session.prefix, facet, shard, new Date(bucket), new Date(seen), clockTimestamp(seen)]
        await this.#session.execute(this.#cql.insertIndex, params, { isRepeatable: true })
      }),
    )
    await Promise.all(noted)
  }

  /** The statement that writes a row of a task, for so many seconds; 0: for ever. That of every task has the details. */
  upsert(details: TaskDetails, facet: Facet, text: string, ttlSeconds: number): Statement {
    const { createdAt, version, status } = details
    const row = [...this.#keyOf(details, facet), version, status]
    const timing = [versionTimestamp(createdAt, version), ttlSeconds]
    return facet === everyTask
      ? { cql: this.#cql.insertRow, params: [...row, text, ...timing] }
      : { cql: this.#cql.insertFacet, params: [...row, ...timing] }
  }

  /** The statement that deletes a row of a task, and all of it that is not newer. */
  deletion(position: ListingPosition, facet: Facet, timestamp: string): Statement {
    return { cql: this.#cql.remove, params: [timestamp, ...this.#keyOf(position, facet)] }
  }

  /** The list as these facets show it. A task has to have one of them at most. */
  by(facets: readonly Facet[]): RowTable<FacetPartition> {
    const shards = Array.from({ length: this.#options.shards }, (_, shard) => shard)
    return {
      partitions: (stretch, options) => this.partitions(facets, shards, stretch, options),
      rows: async (partition, stretch, limit, options) => {
        const rows = await this.#rows(this.#cql.selectRows, partition, stretch, limit, options)
        return { items: rows.map((row) => ({ ...positionOf(row), partition, status: String(row['status']) })), more: rows.length === limit }
      },
      details: (partition, rows, options) => this.details(partition, rows, options),
    }
  }

  /** The partitions of some shards that may hold rows of some facets, the newest bucket first. */
  partitions(facets: readonly Facet[], shards: readonly number[], stretch: Stretch, options: CallOptions): AsyncIterable<FacetPartition> {
    const sources = facets.flatMap((facet) =>
      shards.map((shard) => (last: FacetPartition | undefined) => this.#partitions(facet, shard, stretch, last, options)),
    )
    return mergeSorted(sources, comparePartitions)
  }

  /** Rows of a partition with their details: in whole, as they are stored. */
  wholeRows(partition: FacetPartition, stretch: Stretch, limit: number, options: CallOptions): Promise<readonly Row[]> {
    return this.#rows(this.#cql.selectWhole, partition, stretch, limit, options)
  }

  /** The details of some rows of a partition. Those that cannot be read are left out. */
  async details({ bucket, shard }: Partition, rows: readonly ListingPosition[], options: CallOptions): Promise<readonly TaskDetails[]> {
    const key = [this.#session.prefix, new Date(bucket), shard, everyTask]
    const places = rows.map(({ createdAt, taskId }) => types.Tuple.fromArray([new Date(createdAt), taskId]))
    const requests: Promise<readonly Row[]>[] = []
    for (let at = 0; at < places.length; at += detailsAtOnce)
      requests.push(this.#session.execute(this.#cql.selectDetails, [...key, places.slice(at, at + detailsAtOnce)], options))
    return (await Promise.all(requests)).flat().flatMap((row) => readDetails(row, this.#session.logger) ?? [])
  }

  async #partitions(
    facet: Facet,
    shard: number,
    { after, since }: Stretch,
    last: FacetPartition | undefined,
    options: CallOptions,
  ): Promise<SortedPage<FacetPartition>> {
    const { bucketMs } = this.#options
    const before = last === undefined ? bucketOf(after.createdAt, bucketMs) + bucketMs : last.bucket
    const params = [this.#session.prefix, facet, shard, dateOf(before), dateOf(bucketOf(since, bucketMs)), indexRows]
    const rows = await this.#session.execute(this.#cql.selectIndex, params, options)
    const items = rows.map((row) => ({
      facet,
      shard,
      bucket: (row['bucket'] as Date).getTime(),
      seen: (row['seen'] as Date | null)?.getTime() ?? 0,
    }))
    return { items, more: rows.length === indexRows }
  }

  async #rows(
    cql: string,
    partition: FacetPartition,
    { after, since }: Stretch,
    limit: number,
    options: CallOptions,
  ): Promise<readonly Row[]> {
    const { bucket, shard, facet } = partition
    const scanBegan = Date.now()
    const key = [this.#session.prefix, new Date(bucket), shard, facet]
    const rows = await this.#session.execute(cql, [...key, dateOf(after.createdAt), after.taskId, dateOf(since), limit], options)
    const isWhole = after.createdAt >= bucket + this.#options.bucketMs && since <= bucket
    if (rows.length === 0 && isWhole && mayForget(partition, scanBegan)) await this.#forget(partition, options)
    return rows
  }

  /** Without the index row no later walk comes here. See {@link PartitionIndex} for why nothing is lost. */
  async #forget({ bucket, shard, facet, seen }: FacetPartition, options: CallOptions): Promise<void> {
    const params = [clockTimestamp(seen), this.#session.prefix, facet, shard, new Date(bucket)]
    await this.#session.execute(this.#cql.removeIndex, params, { ...options, isRepeatable: true })
  }

  #keyOf(position: ListingPosition, facet: Facet): readonly [string, Date, number, Facet, Date, TaskId] {
    const { bucket, shard } = this.partitionOf(position)
    return [this.#session.prefix, new Date(bucket), shard, facet, new Date(position.createdAt), position.taskId]
  }
}

const statementsOf = (session: Session, options: FacetedTableOptions) => {
  const [rows, index] = [session.table(options.rows), session.table(options.index)]
  const columns = 'prefix, bucket, shard, facet, created_at, task_id, version, status'
  const partition = 'prefix = ? AND bucket = ? AND shard = ? AND facet = ?'
  const stretch = `${partition} AND (created_at, task_id) < (?, ?) AND (created_at) >= (?) LIMIT ?`
  return {
    insertRow: `INSERT INTO ${rows} (${columns}, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?`,
    insertFacet: `INSERT INTO ${rows} (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?`,
    remove: `DELETE FROM ${rows} USING TIMESTAMP ? WHERE ${partition} AND created_at = ? AND task_id = ?`,
    selectRows: `SELECT created_at, task_id, status FROM ${rows} WHERE ${stretch}`,
    selectWhole: `SELECT created_at, task_id, details FROM ${rows} WHERE ${stretch}`,
    selectDetails: `SELECT created_at, task_id, details FROM ${rows} WHERE ${partition} AND (created_at, task_id) IN ?`,
    insertIndex: `INSERT INTO ${index} (prefix, facet, shard, bucket, seen) VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ?`,
    removeIndex: `DELETE FROM ${index} USING TIMESTAMP ? WHERE prefix = ? AND facet = ? AND shard = ? AND bucket = ?`,
    selectIndex: `SELECT bucket, seen FROM ${index} WHERE prefix = ? AND facet = ? AND shard = ? AND bucket < ? AND bucket >= ? LIMIT ?`,
  }
}
