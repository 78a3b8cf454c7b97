import type { CallOptions, ListingPosition, TaskDetails, TaskId, UnreadableRow } from '@taskledger/core/ports'
import { shardOf } from '@taskledger/core/ports'
import { types } from 'cassandra-driver'
import type { Row, Session, Statement } from '../../connection/session.ts'
import type { FacetPartition, Partition } from './buckets.ts'
import { bucketOf } from './buckets.ts'
import type { Facet } from './facets.ts'
import { everyTask } from './facets.ts'
import type { IndexTableOptions } from './index-table.ts'
import { IndexTable } from './index-table.ts'
import type { SortedPage } from './merge.ts'
import { mayForget } from './partition-index.ts'
import type { ListedRow, Stretch } from './rows.ts'
import { dateOf, positionOf, readDetails } from './rows.ts'
import { versionTimestamp } from './timestamps.ts'

export interface FacetedTableOptions extends IndexTableOptions {
  /** The name of the table. */
  readonly rows: string
  /** How many partitions share a bucket. */
  readonly shards: number
}

/** How many rows one request reads the details of. */
const detailsAtOnce = 50

/**
 * A table in buckets of creation time. A task has a row with its details and a row for each of its facets, all in one
 * partition, so that they are written in one step. An {@link IndexTable} says which partitions have rows of a facet.
 */
export class FacetedTable {
  readonly #session: Session
  readonly #options: FacetedTableOptions
  readonly #index: IndexTable
  readonly #cql: ReturnType<typeof statementsOf>

  constructor(session: Session, options: FacetedTableOptions) {
    this.#session = session
    this.#options = options
    this.#index = new IndexTable(session, options)
    this.#cql = statementsOf(session.table(options.rows))
  }

  /** The partition of a task. It never changes. */
  partitionOf({ taskId, createdAt }: ListingPosition): Partition {
    return { bucket: bucketOf(createdAt, this.#options.bucketMs), shard: shardOf(taskId, this.#options.shards) }
  }

  /** Makes sure that a walk by any of the facets finds the partition of the task. */
  async ensureIndexed(position: ListingPosition, facets: readonly Facet[]): Promise<void> {
    await this.#index.ensure(this.partitionOf(position), facets)
  }

  /**
   * The statement that writes a row of a task, with a time to live in seconds; 0: it never expires. The row of every
   * task has the details.
   */
  upsert(details: TaskDetails, facet: Facet, text: string, ttlSeconds: number): Statement {
    const { createdAt, version, status } = details
    const row = [...this.#keyOf(details, facet), version, status]
    const timing = [versionTimestamp(createdAt, version), ttlSeconds]
    return facet === everyTask
      ? { cql: this.#cql.insertRow, params: [...row, text, ...timing] }
      : { cql: this.#cql.insertFacet, params: [...row, ...timing] }
  }

  /** The statement that deletes a row of a task, in every version up to the timestamp. */
  deletion(position: ListingPosition, facet: Facet, timestamp: string): Statement {
    return { cql: this.#cql.remove, params: [timestamp, ...this.#keyOf(position, facet)] }
  }

  /** The rows of some facets. A task must have at most one of them. */
  by(facets: readonly Facet[]) {
    const shards = Array.from({ length: this.#options.shards }, (_, shard) => shard)
    return {
      /** The partitions that may have rows of the stretch, the newest bucket first. */
      partitions: (stretch: Stretch, options: CallOptions): AsyncIterable<FacetPartition> =>
        this.partitions(facets, shards, stretch, options),
      /** The rows of a partition that are in the stretch, the newest first, at most `limit`. */
      rows: async (partition: FacetPartition, stretch: Stretch, limit: number, options: CallOptions): Promise<SortedPage<ListedRow>> => {
        const rows = await this.#rows(this.#cql.selectRows, partition, stretch, limit, options)
        return { items: rows.map((row) => ({ ...positionOf(row), partition, status: String(row['status']) })), more: rows.length === limit }
      },
      /** The details of some rows of a partition. Rows that are gone are left out. */
      details: (
        partition: Partition,
        rows: readonly ListingPosition[],
        options: CallOptions,
      ): Promise<readonly (TaskDetails | UnreadableRow)[]> => this.details(partition, rows, options),
    }
  }

  /** The partitions of some shards that may have rows of some facets, the newest bucket first. */
  partitions(facets: readonly Facet[], shards: readonly number[], stretch: Stretch, options: CallOptions): AsyncIterable<FacetPartition> {
    return this.#index.partitions(facets, shards, stretch, options)
  }

  /** Rows of a partition with their details, as they are stored. */
  wholeRows(partition: FacetPartition, stretch: Stretch, limit: number, options: CallOptions): Promise<readonly Row[]> {
    return this.#rows(this.#cql.selectWhole, partition, stretch, limit, options)
  }

  /** The details of some rows of a partition. Rows that are gone are left out. */
  async details(
    { bucket, shard }: Partition,
    rows: readonly ListingPosition[],
    options: CallOptions,
  ): Promise<readonly (TaskDetails | UnreadableRow)[]> {
    const key = [this.#session.prefix, new Date(bucket), shard, everyTask]
    const positions = rows.map(({ createdAt, taskId }) => types.Tuple.fromArray([new Date(createdAt), taskId]))
    const requests: Promise<readonly Row[]>[] = []
    for (let at = 0; at < positions.length; at += detailsAtOnce)
      requests.push(this.#session.execute(this.#cql.selectDetails, [...key, positions.slice(at, at + detailsAtOnce)], options))
    return (await Promise.all(requests)).flat().map(readDetails)
  }

  async #rows(
    cql: string,
    partition: FacetPartition,
    { after, since }: Stretch,
    limit: number,
    options: CallOptions,
  ): Promise<readonly Row[]> {
    const { bucket, shard, facet } = partition
    const scanBegan = await this.#session.serverTime.now()
    const key = [this.#session.prefix, new Date(bucket), shard, facet]
    const rows = await this.#session.execute(cql, [...key, dateOf(after.createdAt), after.taskId, dateOf(since), limit], options)
    const isWhole = after.createdAt >= bucket + this.#options.bucketMs && since <= bucket
    if (rows.length === 0 && isWhole && mayForget(partition, scanBegan)) await this.#index.forget(partition, options)
    return rows
  }

  #keyOf(position: ListingPosition, facet: Facet): readonly [string, Date, number, Facet, Date, TaskId] {
    const { bucket, shard } = this.partitionOf(position)
    return [this.#session.prefix, new Date(bucket), shard, facet, new Date(position.createdAt), position.taskId]
  }
}

/** The rows of some facets of a table: see {@link FacetedTable.by}. */
export type FacetRows = ReturnType<FacetedTable['by']>

const statementsOf = (rows: string) => {
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
  }
}
