import type { TaskProgress } from '@taskledger/core/ports'

/**
 * The write timestamp of a row, in microseconds: the task's creation plus its version. So the highest version wins as a
 * whole, in whatever order the writes arrive, without a read and without a condition. At equal timestamps a tombstone
 * wins, and equal versions have equal content. The timestamp stays near the clock, which compaction by time windows
 * needs.
 *
 * Never write a row with a timestamp of the clock. The timestamp is text, because the driver accepts text for a bigint
 * in all of its settings.
 */
export const versionTimestamp = (createdAt: number, version: number): string => String(createdAt * 1_000 + version)

/** The maximum of the version's column, an int. */
const maxVersion = 2 ** 31 - 1

/**
 * The timestamp of a removal. No version of the task has a later one, so a save in flight does not bring the task back.
 * A new life of the same id (a reused idempotency key) has another creation time, and so its own rows.
 */
export const removalTimestamp = (createdAt: number): string => versionTimestamp(createdAt, maxVersion)

/** Orders reports by attempt and then by sequence: the last report wins without a read. Exact up to attempt 2²⁰. */
export const progressTimestamp = ({ attempt, sequence }: TaskProgress): string => String(attempt * 2 ** 32 + sequence)

/**
 * The timestamp of a removal of progress: later than that of any report up to attempt 2¹⁸, and earlier than any clock
 * (2005), as clusters may limit how far a timestamp may be ahead of the clock.
 */
export const removedProgressTimestamp: string = String(2 ** 50)

/** The timestamp of an index row: the time of the hosts, because its only content is the time of its last write. */
export const clockTimestamp = (time: number): string => String(time * 1_000)
