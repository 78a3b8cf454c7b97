import type { Statement } from '../connection/session.ts'

/**
 * The maximum size of a batch for several partitions. Cassandra warns of such a batch from 5 KiB on and refuses it from
 * 50 KiB on (`batch_size_warn_threshold`, `batch_size_fail_threshold`). A batch for one partition has no such limit.
 */
const maxBytesAcross = 4_096

/** The approximate size of a statement's values: numbers, times and column names are small. */
const sizeOf = ({ params }: Statement): number =>
  params.reduce<number>((sum, value) => sum + (typeof value === 'string' ? Buffer.byteLength(value) : 8), 0)

/**
 * The requests that write batches, each of which has its own partition. Small batches, such as those of one task, share
 * one request; large batches have a request each. No reader relies on both batches being written at
 * once.
 */
export const requestsOf = (batches: readonly (readonly Statement[])[]): readonly (readonly Statement[])[] => {
  const together = batches.flat()
  const bytes = together.reduce((sum, statement) => sum + sizeOf(statement), 0)
  return bytes <= maxBytesAcross ? [together] : batches
}
