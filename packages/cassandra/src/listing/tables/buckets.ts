/**
 * How many partitions share the list of one stretch of time. A partition key cannot be changed later, and so cannot this number. A cohort
 * stays together: what was submitted together is written together.
 */
export const listShards = 4

/** How many partitions share what is unfinished of one stretch of time. */
export const unfinishedShards = 16

/**
 * The stretch of creation time that one bucket of what is unfinished holds, in milliseconds. Short, since its partitions are written and
 * emptied again: at 1,000 tasks a second some 3,800 rows, and as many tombstones, are all that a read can meet in one of them.
 */
export const unfinishedBucketMs = 60_000

/** A partition of the list or of what is unfinished. */
export interface Partition {
  /** Where the bucket begins, in milliseconds since 1970. */
  readonly bucket: number
  readonly shard: number
}

/** Where the bucket begins that a time falls into, in milliseconds since 1970. */
export const bucketOf = (time: number, widthMs: number): number => Math.floor(time / widthMs) * widthMs

/** The order in which partitions are walked: the newest bucket first. */
export const comparePartitions = (a: Partition, b: Partition): number => b.bucket - a.bucket || b.shard - a.shard
