import type { TaskShard } from '@taskledger/core/ports'
import { unfinishedShards } from './listing-buckets.ts'

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b))

/**
 * The shards of the table that may hold tasks of a shard of the port's. Both are remainders of one hash: where `of` and the table's number
 * have a common divisor, the remainders by that divisor agree. An `of` of 1, 2, 4, 8 or 16 is met exactly, an odd one reads all.
 */
export const tableShardsOf = ({ shard, of }: TaskShard): readonly number[] => {
  const divisor = greatestCommonDivisor(of, unfinishedShards)
  return Array.from({ length: unfinishedShards }, (_, index) => index).filter((index) => index % divisor === shard % divisor)
}
