import type { Clock } from '../../ports/shared/clock.ts'
import type { ChecksOf } from '../../ports/shared/check-options.ts'
import { objectOf } from '../../ports/shared/check-options.ts'
import { misuse } from '../../ports/shared/errors.ts'
import { checkMs } from '../../ports/shared/checks.ts'
import { checkIntervalMs } from './checks.ts'

/** The lease by which other nodes know that a node is alive. Times are in milliseconds. */
export interface LeaseOptions {
  /** How often the node renews its lease. Default 5,000. */
  readonly renewMs?: number | undefined
  /**
   * How long the node counts as alive after a renewal, at least twice `renewMs`. Default 15,000. Without a renewal the node takes no more
   * tasks after 60 % of this time, and aborts its running tasks after all of it.
   */
  readonly ttlMs?: number | undefined
}

/** The options of a lease, with every default filled in. They have to be the same on every node of a cluster. */
export interface LeaseSettings {
  readonly renewMs: number
  readonly ttlMs: number
}

const checkLease = objectOf({ renewMs: checkIntervalMs, ttlMs: checkMs } satisfies ChecksOf<LeaseOptions>)

/** @throws `MISUSE` if an option is wrong, or the lease would expire before its first renewal. */
export const leaseSettings = (options: LeaseOptions = {}): LeaseSettings => {
  const { renewMs = 5_000, ttlMs = 15_000 } = checkLease('lease', options)
  if (ttlMs < 2 * renewMs)
    throw misuse(`lease.ttlMs is ${ttlMs} and lease.renewMs ${renewMs}: give a ttlMs of at least twice renewMs, ${2 * renewMs}`)
  return { renewMs, ttlMs }
}

/**
 * `held`: the node counts as alive. `doubtful`: the last renewal is so old that the node takes no more tasks. `lost`: other nodes may
 * have declared this node dead, and may run its tasks.
 */
export type LeaseState = 'held' | 'doubtful' | 'lost'

/** The share of `ttlMs` after which a lease that was not renewed is doubtful. */
const doubtfulFrom = 0.6

/**
 * Computes whether the lease of this node is still valid. It measures by the node's own monotone clock, from the moment when the renewal
 * was *sent*. The registry measures from a later moment, so this node always gives up its lease before another node sees it expire.
 */
export class Lease {
  readonly settings: LeaseSettings
  readonly #clock: Clock
  #sentAt = -Infinity
  #unbrokenSince = Infinity
  /** When the next tick is due, by `clock.elapsed()`. */
  #tickDueAt = Infinity
  #stoodStillMs = 0

  constructor(clock: Clock, settings: LeaseSettings) {
    this.#clock = clock
    this.settings = settings
  }

  /** The state of the lease, computed at each read: just after a freeze of the process no timer has run yet. */
  get state(): LeaseState {
    const age = this.#clock.elapsed() - this.#sentAt
    const { ttlMs } = this.settings
    return age < doubtfulFrom * ttlMs ? 'held' : age < ttlMs ? 'doubtful' : 'lost'
  }

  /** How long the state lasts without a renewal, in milliseconds; `undefined` if the lease is lost. */
  get lastsMs(): number | undefined {
    const { ttlMs } = this.settings
    const age = this.#clock.elapsed() - this.#sentAt
    if (age >= ttlMs) return undefined
    return (age < doubtfulFrom * ttlMs ? doubtfulFrom * ttlMs : ttlMs) - age
  }

  /** Whether the lease was never lost since a moment of `clock.elapsed()`: then no node can have declared this node dead since. */
  isHeldSince(since: number): boolean {
    return this.state !== 'lost' && this.#unbrokenSince <= since
  }

  /**
   * Whether this process stood still since the latest renewal, for one `renewMs` or longer: it was frozen, or a body blocked its event loop.
   * A registry that does not answer is another reason to lose a lease.
   */
  get hasStoodStill(): boolean {
    return this.#stillMs >= this.settings.renewMs
  }

  /** Notes that this process runs, and that it ticks again within this time, in milliseconds. A late tick means that it stood still. */
  ticked(withinMs: number): void {
    this.#stoodStillMs = this.#stillMs
    this.#tickDueAt = this.#clock.elapsed() + withinMs
  }

  /** Notes a successful renewal, which was sent at this moment of `clock.elapsed()`. */
  renewed(sentAt: number): void {
    if (this.state === 'lost') this.#unbrokenSince = sentAt
    this.#sentAt = Math.max(this.#sentAt, sentAt)
    if (this.state !== 'lost') this.#stoodStillMs = 0
  }

  get #stillMs(): number {
    return this.#stoodStillMs + Math.max(0, this.#clock.elapsed() - this.#tickDueAt)
  }
}
