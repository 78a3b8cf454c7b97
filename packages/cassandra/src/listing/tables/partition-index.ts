/** How long a writer relies on an index row that it wrote, in milliseconds. */
export const trustedForMs = 60_000

/** An index row may be deleted when it was last written so long before the scan that found its partition empty, in milliseconds. */
export const forgottenAfterMs = 600_000

/** More are not kept in mind: writing an index row again does no harm. */
const maxRemembered = 20_000

interface Noted {
  /** When writing began, by a clock that is never set. */
  readonly at: number
  readonly written: Promise<void>
}

/**
 * What this process knows of index rows: small rows that say which partitions exist, so that a walk need not try them all. Whoever
 * finds a partition empty deletes its index row; otherwise the index would hold every minute that there ever was.
 *
 * **No row without its index row.** An index row is written with the clock as its timestamp, which it also holds (`seen`). Let a scan that
 * begins at b find a partition empty whose index row was seen at s ≤ b − 10 min, and delete the index row with the timestamp s: exactly what
 * it read, nothing newer. Take any row of that partition that the scan did not meet and whose save has resolved. A majority got it after
 * b, or the scan would have met it. Its writer had an index row of its own: at most one minute old when the save began; and where the
 * save took more than a minute, another one, at most one minute old after the row was written. So the latest of them is from b − 2 min or
 * later. With clocks less than 8 minutes apart that is later than s: the tombstone does not reach it. A save that has not resolved is
 * repeated by its caller, and then counts from its own beginning.
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
    if (this.#noted.size > maxRemembered) this.#dropOldest()
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
