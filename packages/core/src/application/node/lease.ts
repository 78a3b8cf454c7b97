import type { Clock } from '../../ports/clock.ts'
import { misuse } from '../../ports/errors.ts'
import { checkMs } from '../../ports/checks.ts'
import { checkIntervalMs } from './checks.ts'

/** How a node shows that it lives. Times are in milliseconds. */
export interface LeaseOptions {
  /** How often the node renews itself. Default 5,000. */
  readonly renewMs?: number
  /**
   * For how long it counts as alive without that, at least twice as long. Default 15,000. After 60 % of it a node that could
   * not renew itself takes no more tasks; after all of it, it aborts those that it runs.
   */
  readonly ttlMs?: number
}

/** The same, with every choice made. The same on every node of a cluster. */
export interface LeaseSettings {
  readonly renewMs: number
  readonly ttlMs: number
}

/** @throws TypeError where the lease would be lost before it could be renewed. */
export const leaseSettings = ({ renewMs = 5_000, ttlMs = 15_000 }: LeaseOptions = {}): LeaseSettings => {
  checkIntervalMs('lease.renewMs', renewMs)
  if (checkMs('lease.ttlMs', ttlMs) < 2 * renewMs)
    throw misuse(`lease.ttlMs is ${ttlMs} and lease.renewMs ${renewMs}: a lease has to last for two renewals at least`)
  return { renewMs, ttlMs }
}

/**
 * `held`: the node counts as alive. `doubtful`: it could not renew for so long that it takes no more tasks. `lost`: others may
 * think it dead by now, and run its tasks.
 */
export type LeaseState = 'held' | 'doubtful' | 'lost'

/** The share of its time after which a lease that was not renewed is in doubt. */
const doubtfulFrom = 0.6

/**
 * What a node knows of its own lease. It reckons by its own monotone clock, and from when the renewal was *sent*: the registry
 * counts from some time after that, so the node always gives up first.
 */
export class Lease {
  readonly settings: LeaseSettings
  readonly #clock: Clock
  #sentAt = -Infinity
  #unbrokenSince = Infinity

  constructor(clock: Clock, settings: LeaseSettings) {
    this.#clock = clock
    this.settings = settings
  }

  /** Reckoned anew at each look: a node that was frozen cannot rely on a timer to have told it. */
  get state(): LeaseState {
    const age = this.#clock.elapsed() - this.#sentAt
    const { ttlMs } = this.settings
    return age < doubtfulFrom * ttlMs ? 'held' : age < ttlMs ? 'doubtful' : 'lost'
  }

  /** How long the state stays as it is if nothing is renewed, in milliseconds; nothing where the lease is lost. */
  get lastsMs(): number | undefined {
    const { ttlMs } = this.settings
    const age = this.#clock.elapsed() - this.#sentAt
    if (age >= ttlMs) return undefined
    return (age < doubtfulFrom * ttlMs ? doubtfulFrom * ttlMs : ttlMs) - age
  }

  /** Whether it was never lost since then (`clock.elapsed()`): nobody can have thought the node dead meanwhile. */
  isHeldSince(since: number): boolean {
    return this.state !== 'lost' && this.#unbrokenSince <= since
  }

  /** A renewal that was sent then (`clock.elapsed()`) has succeeded. */
  renewed(sentAt: number): void {
    if (this.state === 'lost') this.#unbrokenSince = sentAt
    this.#sentAt = Math.max(this.#sentAt, sentAt)
  }
}
