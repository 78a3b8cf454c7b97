import { shardOf } from '@taskledger/core/ports'
import { describe, expect, it } from 'vitest'
import { bucketOf, comparePartitions, unfinishedShards } from '../../../src/listing/tables/buckets.ts'
import { tableShardsOf } from '../../../src/listing/tables/unfinished-table.ts'
import { freshId } from '../samples.ts'

describe('a bucket', () => {
  it('holds the times from its beginning until the next one begins', () => {
    expect([0, 1, 599_999, 600_000, 600_001].map((time) => bucketOf(time, 600_000))).toEqual([0, 0, 0, 600_000, 600_000])
  })

  it('holds times before 1970 as well', () => {
    expect([-1, -600_000, -600_001].map((time) => bucketOf(time, 600_000))).toEqual([-600_000, -600_000, -1_200_000])
  })
})

describe('a partition', () => {
  it('is walked before those of older buckets', () => {
    const partitions = [
      { bucket: 1, shard: 0 },
      { bucket: 2, shard: 1 },
      { bucket: 2, shard: 3 },
    ]
    expect([...partitions].sort(comparePartitions)).toEqual([...partitions].reverse())
  })
})

describe('the shards of the table', () => {
  it('hold every task of a shard of the port, whatever the number of shards', () => {
    const ids = Array.from({ length: 50 }, freshId)
    for (let of = 1; of <= 100; of++)
      for (const id of ids) expect(tableShardsOf({ shard: shardOf(id, of), of })).toContain(shardOf(id, unfinishedShards))
  })

  it('are no more than needed', () => {
    expect(tableShardsOf({ shard: 5, of: 16 })).toEqual([5])
    expect(tableShardsOf({ shard: 21, of: 64 })).toEqual([5])
    expect(tableShardsOf({ shard: 1, of: 4 })).toEqual([1, 5, 9, 13])
    expect(tableShardsOf({ shard: 2, of: 6 })).toEqual([0, 2, 4, 6, 8, 10, 12, 14])
    expect(tableShardsOf({ shard: 2, of: 7 })).toHaveLength(16)
  })
})
