import type { Facet } from './facets.ts'

/**
 * How many partitions share a bucket of the list of all tasks. It is part of the partition key, so it can never change.
 * A cohort stays in one shard: tasks that were submitted together are written together.
 */
export const listShards = 4

/** How many partitions share a bucket of the unfinished tasks. */
export const unfinishedShards = 16

/**
 * How much creation time a bucket of the unfinished tasks holds, in milliseconds. It is short, because these partitions
 * are written and emptied again: at 1,000 tasks a second a read meets at most some 3,800 rows, and as many tombstones,
 * in a partition.
 */
export const unfinishedBucketMs = 60_000

/** A partition of a table of the listing. */
export interface Partition {
  /** The beginning of the bucket, in milliseconds since 1970. */
  readonly bucket: number
  readonly shard: number
}

/** A partition, seen by one facet: as a row of the index names it. */
export interface FacetPartition extends Partition {
  readonly facet: Facet
  /** When its index row was last written, in milliseconds since 1970. */
  readonly seen: number
}

/** The beginning of the bucket that a time belongs to, in milliseconds since 1970. */
export const bucketOf = (time: number, bucketMs: number): number => Math.floor(time / bucketMs) * bucketMs

/** The order in which partitions are walked: the newest bucket first. */
export const comparePartitions = (a: Partition, b: Partition): number => b.bucket - a.bucket || b.shard - a.shard
