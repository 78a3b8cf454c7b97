/** How long a writer relies on an index row that it wrote, in milliseconds. */
export const trustedForMs = 60_000

/** The minimum age of an index row, in milliseconds, when a scan that finds its partition empty may delete it. */
export const forgottenAfterMs = 600_000

/** The maximum number of index rows that are remembered. Writing a forgotten index row again does no harm. */
const maxRemembered = 20_000

interface IndexRow {
  /** When its write began, by the monotonic clock. */
  readonly at: number
  readonly written: Promise<void>
}

/**
 * The index rows that this process has written. An index row says that a partition exists, so that a walk need not try
 * every partition. A scan that finds a partition empty deletes its index row: otherwise the index would keep every
 * minute that ever had a task.
 *
 * **Every row has an index row.** An index row is written with the time of the hosts as its timestamp, and also has
 * that time in its column `seen`. All times here are those of the hosts (`ServerTime`): the clocks of nodes may be
 * hours apart. Suppose that a scan begins at time b and finds a partition empty whose index row has
 * `seen` = s ≤ b − 10 min. The scan deletes that index row with the timestamp s: exactly what it read, and nothing
 * newer. Take any row of that partition that the scan did not meet and whose save has resolved. The row reached a
 * majority after b: otherwise the scan would have met it. Its writer relied on an index row that was at most one minute
 * old when the save began. If the save took more than a minute, the writer also wrote, or relied on, an index row that
 * was at most one minute old when the row had been written. So the latest of these index rows was written at b − 2 min
 * or later. If the clocks of the hosts differ by less than 7 minutes, its timestamp is later than s, and the deletion
 * does not reach it: the time that a node has is late by one request at most. A save that has not resolved is retried by
 * its caller, and the argument then holds for the retry.
 */
export class PartitionIndex {
  readonly #rows = new Map<string, IndexRow>()
  readonly #now: () => Promise<number>
  readonly #elapsed: () => number

  /** @param parts `now` is the time of the hosts, `elapsed` a monotonic clock of this machine; both in milliseconds. */
  constructor({ now, elapsed = () => performance.now() }: { now(): Promise<number>; elapsed?(): number }) {
    this.#now = now
    this.#elapsed = elapsed
  }

  /**
   * Resolves once the index row is written, by this call or by another one less than a minute ago. `write` gets the
   * time for `seen`.
   */
  ensure(key: string, write: (seen: number) => Promise<void>): Promise<void> {
    const at = this.#elapsed()
    const known = this.#rows.get(key)
    if (known !== undefined && at - known.at < trustedForMs) return known.written
    const row: IndexRow = { at, written: this.#now().then(write) }
    // To the end of the map: the first entry is then the oldest.
    this.#rows.delete(key)
    this.#rows.set(key, row)
    if (this.#rows.size > maxRemembered) this.#dropOldest()
    row.written.catch(() => {
      if (this.#rows.get(key) === row) this.#rows.delete(key)
    })
    return row.written
  }

  #dropOldest(): void {
    for (const key of this.#rows.keys()) {
      this.#rows.delete(key)
      return
    }
  }
}

/** Whether the index row of a partition that a scan found empty may be deleted. */
export const mayForget = ({ seen }: { readonly seen: number }, scanBegan: number): boolean => scanBegan - seen >= forgottenAfterMs
