import type { Statement } from '../connection/session.ts'

/**
 * How many bytes go together to several partitions. Of a batch of one partition Cassandra says nothing, whatever its size; of
 * one of several it warns from 5 KiB on, and refuses it from 50 KiB on (`batch_size_warn_threshold`, `batch_size_fail_threshold`).
 */
const maxBytesAcross = 4_096

/** What a statement's values come to, about: numbers, times and names of columns are small. */
const sizeOf = ({ params }: Statement): number =>
  params.reduce<number>((sum, value) => sum + (typeof value === 'string' ? Buffer.byteLength(value) : 8), 0)

/**
 * The requests by which batches of a partition each are written: one for all of them where they are small, as those of one task
 * are, and it costs a request less; otherwise one for each. No reader relies on both having come at once.
 */
export const requestsOf = (batches: readonly (readonly Statement[])[]): readonly (readonly Statement[])[] => {
  const together = batches.flat()
  const bytes = together.reduce((sum, statement) => sum + sizeOf(statement), 0)
  return bytes <= maxBytesAcross ? [together] : batches
}
