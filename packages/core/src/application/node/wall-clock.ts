/** How many renewals of a node the estimate of its clock is made from. */
const maxSamples = 5

/** By how much the time of an event may miss the setting of the clock that it belongs to, in milliseconds. */
const toleranceMs = 15_000

/** A setting of a wall clock. A *base* is what the wall clock shows when the steady clock of this node is at 0. */
interface Setting {
  /** Estimates of the base, the latest first, each too low by the age of the time that it was made from. */
  samples: readonly number[]
  /** The highest of the estimates. */
  base: number
  /** When it was in force, by the steady clock of this node. */
  readonly from: number
  until: number
}

/** The wall clock of a node, against the steady clock of this node, with its earlier settings. All times are in milliseconds. */
export class WallClock {
  #settings: Setting[] = []

  /** The present base. */
  get base(): number {
    return this.#settings.at(-1)?.base ?? -Infinity
  }

  /** Whether the base was estimated from more than the first renewal that was seen, which may have been old. */
  get isSettled(): boolean {
    return this.#settings.length > 1 || (this.#settings[0]?.samples.length ?? 0) > 1
  }

  get bases(): readonly number[] {
    return this.#settings.map(({ base }) => base)
  }

  /** When it was last seen. */
  get seenAt(): number {
    return this.#settings.at(-1)?.until ?? -Infinity
  }

  /** Notes that the clock showed a time at some moment before `now`, at most `maxAgeMs` before. */
  note(time: number, now: number, maxAgeMs: number): void {
    const sample = time - now
    const current = this.#settings.at(-1)
    if (current === undefined || Math.abs(sample - current.base) > maxAgeMs)
      this.#settings.push({ samples: [sample], base: sample, from: current?.until ?? -Infinity, until: now })
    else {
      // The own clock is noted at every event, and says nothing new then.
      if (current.samples.length < maxSamples || Math.abs(sample - current.base) >= 1) {
        current.samples = [sample, ...current.samples].slice(0, maxSamples)
        current.base = Math.max(...current.samples)
      }
      current.until = now
    }
  }

  /** Forgets the settings that ended before a moment. */
  forget(before: number): void {
    this.#settings = this.#settings.filter(({ until }, index) => until >= before || index === this.#settings.length - 1)
  }

  /**
   * When the clock shows a time, for an event that was written at `writtenAt` by the same clock: by the setting of that moment. If there is none,
   * the event has the time of another clock, or of a setting that this node never saw: any moment before the latest is possible.
   */
  elapsedAt(time: number, writtenAt: number, now: number): { readonly earliest: number; readonly latest: number } {
    for (const [index, setting] of [...this.#settings.entries()].reverse()) {
      const at = writtenAt - setting.base
      const until = index === this.#settings.length - 1 ? now : setting.until
      if (at >= setting.from - toleranceMs && at <= until + toleranceMs)
        return { earliest: time - setting.base, latest: time - setting.base }
    }
    return { earliest: -Infinity, latest: time - Math.min(...this.bases) }
  }
}
