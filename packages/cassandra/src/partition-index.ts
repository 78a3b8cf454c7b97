/** How long a writer relies on an index row that it wrote, in milliseconds. */
export const trustedForMs = 60_000

/** An index row may be deleted when it was last written so long before the scan that found its partition empty, in milliseconds. */
export const forgottenAfterMs = 600_000

/** More are not kept in mind: writing an index row again does no harm. */
const mostRemembered = 20_000

interface Noted {
  /** When writing began, by a clock that is never set. */
  readonly at: number
  readonly written: Promise<void>
}

/**
 * What this process knows of index rows: small rows that say which partitions exist, so that a walk need not try them all. Whoever
 * finds a partition empty deletes its index row; otherwise the index would hold every minute that there ever was.
 *
 * **No row without its index row.** An index row is written with the clock as its timestamp, which it also holds (`seen`). Let a scan read
 * an index row with `seen` = s, begin at b ≥ s + 10 min, find the partition empty, and delete the index row with the timestamp s:
 * exactly what it read, nothing newer. Take any row of that partition whose save has resolved and which the scan did not meet. It was
 * written by a majority after the scan had begun, or the scan would have met it. Its writer checked, when the write began, that an index
 * row of its own was at most one minute old, or wrote one beside it, and the write was bounded by the time of a request. So that index
 * row is from b − 1 min − one request at the earliest. With clocks less than some 8 minutes apart that is later than s: the tombstone
 * does not reach it. (Resolved is what counts: a save that failed is repeated by its caller, and then checks again.)
 */
export class PartitionIndex {
  readonly #noted = new Map<string, Noted>()
  readonly #monotonicNow: () => number
  readonly #now: () => number

  constructor(monotonicNow: () => number = () => performance.now(), now: () => number = () => Date.now()) {
    this.#monotonicNow = monotonicNow
    this.#now = now
  }

  /** Resolves once the index row is written, by this call or less than a minute ago. `write` gets what the clock says. */
  note(key: string, write: (seen: number) => Promise<void>): Promise<void> {
    const at = this.#monotonicNow()
    const known = this.#noted.get(key)
    if (known !== undefined && at - known.at < trustedForMs) return known.written
    const noted: Noted = { at, written: write(this.#now()) }
    // Again at the end of the map, so that what goes first is what was written longest ago.
    this.#noted.delete(key)
    this.#noted.set(key, noted)
    if (this.#noted.size > mostRemembered) this.#dropOldest()
    noted.written.catch(() => {
      if (this.#noted.get(key) === noted) this.#noted.delete(key)
    })
    return noted.written
  }

  #dropOldest(): void {
    for (const key of this.#noted.keys()) {
      this.#noted.delete(key)
      return
    }
  }
}

/** Whether the index row of a partition that a scan found empty may be deleted. */
export const mayForget = ({ seen }: { readonly seen: number }, scanBegan: number): boolean => scanBegan - seen >= forgottenAfterMs
