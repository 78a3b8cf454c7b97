import type { TaskProgress } from '@taskledger/core/ports'

/**
 * The timestamp that the engine orders the writes of a row by, in microseconds: the version, counted from the task's creation. So the
 * highest version wins whole, in whatever order the writes arrive, without a read and without a condition; at equal timestamps a
 * tombstone wins, and equal versions carry equal content. It stays near the clock, as the engine's compaction likes it.
 *
 * A row must never be written with a timestamp of the clock. As text, since that is what every setting of the driver takes for a bigint.
 */
export const versionTimestamp = (createdAt: number, version: number): string => String(createdAt * 1_000 + version)

/** The greatest version that the column (an int) can hold. */
const maxVersion = 2 ** 31 - 1

/**
 * The timestamp of a removal: no version of the task that was created then is later, and whatever of it is still on its way stays dead.
 * A new task of the same id (an idempotency key used again) was created at another time, and so has rows of its own.
 */
export const removalTimestamp = (createdAt: number): string => versionTimestamp(createdAt, maxVersion)

/** The attempt counts first and then the sequence: the last report wins without a read. Exact up to attempt 2²⁰. */
export const progressTimestamp = ({ attempt, sequence }: TaskProgress): string => String(attempt * 2 ** 32 + sequence)

/** For the rows that say which partitions exist: the clock, since their only content is when they were written. */
export const clockTimestamp = (time: number): string => String(time * 1_000)
