import type { CallOptions, ListingPosition, TaskDetails } from '@taskledger/core/ports'
import { isFinalStatus } from '@taskledger/core/ports'
import type { Partition } from './listing-buckets.ts'
import { bucketOf, comparePartitions, listPartitionOf } from './listing-buckets.ts'
import type { Facet } from './listing-facets.ts'
import { everyTask, facetsOf } from './listing-facets.ts'
import type { SortedPage } from './listing-merge.ts'
import { mergeSorted } from './listing-merge.ts'
import type { ListedRow, RowTable, Stretch } from './listing-rows.ts'
import { dateOf, positionOf, readManyDetails } from './listing-rows.ts'
import type { ListingSession } from './listing-session.ts'
import { clockTimestamp, removalTimestamp, versionTimestamp } from './listing-timestamps.ts'
import { mayForget, PartitionIndex } from './partition-index.ts'
import type { Statement } from './session.ts'

/** A partition of the list, seen by one facet. */
export interface FacetPartition extends Partition {
  readonly facet: Facet
  /** When its index row was last written, in milliseconds since 1970. */
  readonly seen: number
}

/** How many index rows are read at a time. */
const indexRows = 64

export interface ListTableOptions {
  readonly bucketMs: number
  /** How long the rows of a finished task stay, in milliseconds; 0: for ever. */
  readonly finishedRowsTtlMs: number
}

/**
 * The list: of each task a row with its details, and one for each facet. They share a partition, so that all of them are written in one
 * step, and two tables' worth of writes costs one. Each facet has its own index of the partitions that it occurs in: a label that three tasks
 * ever had is found by reading three partitions.
 */
export class ListTable {
  readonly #session: ListingSession
  readonly #options: ListTableOptions
  readonly #index = new PartitionIndex()
  readonly #cql: ReturnType<typeof statementsOf>

  constructor(session: ListingSession, options: ListTableOptions) {
    this.#session = session
    this.#options = options
    this.#cql = statementsOf(session)
  }

  partitionOf({ taskId, createdAt }: ListingPosition): Partition {
    return listPartitionOf(taskId, createdAt, this.#options.bucketMs)
  }

  /** Sees to it that a walk by any facet of the task finds its partition. */
  async note(details: TaskDetails): Promise<void> {
    const { prefix } = this.#session
    const { bucket, shard } = this.partitionOf(details)
    const noted = facetsOf(details).map((facet) =>
      this.#index.note(`${bucket} ${shard} ${facet}`, async (seen) => {
        const params = [prefix, facet, new Date(bucket), shard, new Date(seen), clockTimestamp(seen)]
        await this.#session.execute(this.#cql.insertIndex, params, { isRepeatable: true })
      }),
    )
    await Promise.all(noted)
  }

  /** The statements that write a task, all of one partition. */
  upserts(details: TaskDetails, text: string): readonly Statement[] {
    const { bucket, shard } = this.partitionOf(details)
    const { createdAt, taskId, version, status } = details
    const ttl = isFinalStatus(status) ? Math.ceil(this.#options.finishedRowsTtlMs / 1_000) : 0
    const timestamp = versionTimestamp(createdAt, version)
    const rowOf = (facet: Facet) => [this.#session.prefix, new Date(bucket), shard, facet, new Date(createdAt), taskId, version, status]
    return facetsOf(details).map((facet) =>
      facet === everyTask
        ? { cql: this.#cql.insertRow, params: [...rowOf(facet), text, timestamp, ttl] }
        : { cql: this.#cql.insertFacet, params: [...rowOf(facet), timestamp, ttl] },
    )
  }

  /** Deletes the rows of a task. A facet that is no longer known keeps its row: without details it lists nothing. */
  async remove(position: ListingPosition, options: CallOptions): Promise<void> {
    const { bucket, shard } = this.partitionOf(position)
    const partition: FacetPartition = { bucket, shard, facet: everyTask, seen: 0 }
    const [details] = await this.details(partition, [position], options)
    const timestamp = removalTimestamp(position.createdAt)
    const key = [this.#session.prefix, new Date(bucket), shard]
    const facets = details === undefined ? [everyTask] : facetsOf(details)
    const deletions = facets.map((facet) => ({
      cql: this.#cql.remove,
      params: [timestamp, ...key, facet, new Date(position.createdAt), position.taskId],
    }))
    await this.#session.batch(deletions, { ...options, isRepeatable: true })
  }

  /** The list as these facets show it. A task has to have one of them at most. */
  by(facets: readonly Facet[]): RowTable<FacetPartition> {
    return {
      partitions: (stretch, options) =>
        mergeSorted(
          facets.map((facet) => (last) => this.#partitions(facet, stretch, last, options)),
          comparePartitions,
        ),
      rows: (partition, stretch, limit, options) => this.#rows(partition, stretch, limit, options),
      details: (partition, rows, options) => this.details(partition, rows, options),
    }
  }

  /** The details of some rows of a partition. */
  async details(partition: Partition, rows: readonly ListingPosition[], options: CallOptions): Promise<readonly TaskDetails[]> {
    const key = [this.#session.prefix, new Date(partition.bucket), partition.shard, everyTask]
    return readManyDetails(this.#session, this.#cql.selectDetails, key, rows, options)
  }

  async #partitions(
    facet: Facet,
    { after, since }: Stretch,
    last: FacetPartition | undefined,
    options: CallOptions,
  ): Promise<SortedPage<FacetPartition>> {
    const { bucketMs } = this.#options
    // A shard that no partition has: all of the bucket are before it.
    const [bucket, shard] = last === undefined ? [bucketOf(after.createdAt, bucketMs), 2 ** 31 - 1] : [last.bucket, last.shard]
    const params = [this.#session.prefix, facet, dateOf(bucket), shard, dateOf(bucketOf(since, bucketMs)), indexRows]
    const rows = await this.#session.execute(this.#cql.selectIndex, params, options)
    const items = rows.map((row) => ({
      facet,
      bucket: (row['bucket'] as Date).getTime(),
      shard: Number(row['shard']),
      seen: (row['seen'] as Date | null)?.getTime() ?? 0,
    }))
    return { items, more: rows.length === indexRows }
  }

  async #rows(
    partition: FacetPartition,
    stretch: Stretch,
    limit: number,
    options: CallOptions,
  ): Promise<SortedPage<ListedRow<FacetPartition>>> {
    const { bucket, shard, facet } = partition
    const { after, since } = stretch
    const scanBegan = Date.now()
    const key = [this.#session.prefix, new Date(bucket), shard, facet]
    const params = [...key, dateOf(after.createdAt), after.taskId, dateOf(since), limit]
    const rows = await this.#session.execute(this.#cql.selectRows, params, options)
    const isWhole = after.createdAt >= bucket + this.#options.bucketMs && since <= bucket
    if (rows.length === 0 && isWhole && mayForget(partition, scanBegan)) await this.#forget(partition, options)
    const items = rows.map((row) => ({ ...positionOf(row), partition, status: String(row['status']) }))
    return { items, more: rows.length === limit }
  }

  /** Without the index row no later walk comes here. See {@link PartitionIndex} for why nothing is lost. */
  async #forget({ bucket, shard, facet, seen }: FacetPartition, options: CallOptions): Promise<void> {
    const params = [clockTimestamp(seen), this.#session.prefix, facet, new Date(bucket), shard]
    await this.#session.execute(this.#cql.removeIndex, params, { ...options, isRepeatable: true })
  }
}

const statementsOf = (session: ListingSession) => {
  const [list, index] = [session.table('task_list'), session.table('task_list_bucket')]
  const columns = 'prefix, bucket, shard, facet, created_at, task_id, version, status'
  const partition = 'prefix = ? AND bucket = ? AND shard = ? AND facet = ?'
  return {
    insertRow: `INSERT INTO ${list} (${columns}, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?`,
    insertFacet: `INSERT INTO ${list} (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?`,
    remove: `DELETE FROM ${list} USING TIMESTAMP ? WHERE ${partition} AND created_at = ? AND task_id = ?`,
    selectRows: `SELECT created_at, task_id, status FROM ${list} WHERE ${partition} AND (created_at, task_id) < (?, ?) AND (created_at) >= (?) LIMIT ?`,
    selectDetails: `SELECT created_at, task_id, details FROM ${list} WHERE ${partition} AND (created_at, task_id) IN ?`,
    insertIndex: `INSERT INTO ${index} (prefix, facet, bucket, shard, seen) VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ?`,
    removeIndex: `DELETE FROM ${index} USING TIMESTAMP ? WHERE prefix = ? AND facet = ? AND bucket = ? AND shard = ?`,
    selectIndex: `SELECT bucket, shard, seen FROM ${index} WHERE prefix = ? AND facet = ? AND (bucket, shard) < (?, ?) AND (bucket) >= (?) LIMIT ?`,
  }
}
