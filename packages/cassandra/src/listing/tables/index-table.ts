import type { CallOptions } from '@taskledger/core/ports'
import type { Session } from '../../connection/session.ts'
import type { FacetPartition, Partition } from './buckets.ts'
import { bucketOf, comparePartitions } from './buckets.ts'
import type { Facet } from './facets.ts'
import type { SortedPage } from './merge.ts'
import { mergeSorted } from './merge.ts'
import { PartitionIndex } from './partition-index.ts'
import type { Stretch } from './rows.ts'
import { dateOf } from './rows.ts'
import { clockTimestamp } from './timestamps.ts'

export interface IndexTableOptions {
  /** The name of the table. */
  readonly index: string
  /** How much creation time a bucket holds, in milliseconds. */
  readonly bucketMs: number
  /** The largest number of rows that is read at a time. Default: what suits each request. Tests set it, so that few tasks fill many pages. */
  readonly pageRows?: number | undefined
}

/** How many index rows are read at a time. */
const defaultPageRows = 32

/**
 * The index of a faceted table: which partitions have rows of a facet. A label that only three tasks ever had is found
 * by reading three partitions.
 */
export class IndexTable {
  readonly #session: Session
  readonly #bucketMs: number
  readonly #pageRows: number
  readonly #known: PartitionIndex
  readonly #cql: ReturnType<typeof statementsOf>

  constructor(session: Session, { index, bucketMs, pageRows = defaultPageRows }: IndexTableOptions) {
    this.#session = session
    this.#bucketMs = bucketMs
    this.#pageRows = Math.min(pageRows, defaultPageRows)
    this.#known = new PartitionIndex({ now: () => session.serverTime.now() })
    this.#cql = statementsOf(session.table(index))
  }

  /** Makes sure that the partition has an index row for each of the facets. */
  async ensure({ bucket, shard }: Partition, facets: readonly Facet[]): Promise<void> {
    const ensured = facets.map((facet) =>
      this.#known.ensure(`${bucket} ${shard} ${facet}`, async (seen) => {
        const params = [this.#session.prefix, facet, shard, new Date(bucket), new Date(seen), clockTimestamp(seen)]
        await this.#session.execute(this.#cql.insert, params, { isRepeatable: true })
      }),
    )
    await Promise.all(ensured)
  }

  /** The partitions of some shards that may have rows of some facets, the newest bucket first. */
  partitions(facets: readonly Facet[], shards: readonly number[], stretch: Stretch, options: CallOptions): AsyncIterable<FacetPartition> {
    const sources = facets.flatMap((facet) =>
      shards.map((shard) => (last: FacetPartition | undefined) => this.#page({ facet, shard, stretch, last }, options)),
    )
    return mergeSorted(sources, comparePartitions)
  }

  /**
   * Deletes the index row of an empty partition: later walks skip the partition. {@link PartitionIndex} proves that
   * nothing is lost.
   */
  async forget({ bucket, shard, facet, seen }: FacetPartition, options: CallOptions): Promise<void> {
    const params = [clockTimestamp(seen), this.#session.prefix, facet, shard, new Date(bucket)]
    await this.#session.execute(this.#cql.remove, params, { ...options, isRepeatable: true })
  }

  async #page({ facet, shard, stretch, last }: PageRequest, options: CallOptions): Promise<SortedPage<FacetPartition>> {
    const { after, since } = stretch
    const before = last === undefined ? bucketOf(after.createdAt, this.#bucketMs) + this.#bucketMs : last.bucket
    const params = [this.#session.prefix, facet, shard, dateOf(before), dateOf(bucketOf(since, this.#bucketMs)), this.#pageRows]
    const rows = await this.#session.execute(this.#cql.select, params, options)
    const items = rows.map((row) => ({
      facet,
      shard,
      bucket: (row['bucket'] as Date).getTime(),
      seen: (row['seen'] as Date | null)?.getTime() ?? 0,
    }))
    return { items, more: rows.length === this.#pageRows }
  }
}

interface PageRequest {
  readonly facet: Facet
  readonly shard: number
  readonly stretch: Stretch
  readonly last: FacetPartition | undefined
}

const statementsOf = (index: string) => ({
  insert: `INSERT INTO ${index} (prefix, facet, shard, bucket, seen) VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ?`,
  remove: `DELETE FROM ${index} USING TIMESTAMP ? WHERE prefix = ? AND facet = ? AND shard = ? AND bucket = ?`,
  select: `SELECT bucket, seen FROM ${index} WHERE prefix = ? AND facet = ? AND shard = ? AND bucket < ? AND bucket >= ? LIMIT ?`,
})
