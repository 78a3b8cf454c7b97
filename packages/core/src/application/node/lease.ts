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

/** A wall clock that gains less than this on the steady clock is corrected, not set, in milliseconds. */
const correctedMs = 1_000

/** A renewal that was sent. */
export interface SentRenewal {
  /** By `clock.elapsed()`. */
  readonly sentAt: number
  /** How far the wall clock was ahead of the steady clock, in milliseconds. */
  readonly base: number
}

/**
 * Computes whether the lease of this node is still valid. It measures by the node's own monotone clock, from the moment when the renewal
 * was *sent*. The registry measures from a later moment, so this node always gives up its lease before another node sees it expire.
 *
 * The monotone clock of Linux stands still while the machine is suspended. Then the wall clock gains on it, as it does when it is set forward.
 * If the lease would be lost by the wall clock, the lease is *in doubt*: it is doubtful, until the registry has told which of both happened.
 */
export class Lease {
  readonly settings: LeaseSettings
  readonly #clock: Clock
  #sentAt = -Infinity
  #base = 0
  #unbrokenSince = Infinity
  #wasSuspended = false
  /** When the next tick is due, by `clock.elapsed()`. */
  #tickDueAt = Infinity
  #stoodStillMs = 0

  constructor(clock: Clock, settings: LeaseSettings) {
    this.#clock = clock
    this.settings = settings
  }

  /** The state of the lease, computed at each read: just after a freeze of the process no timer has run yet. */
  get state(): LeaseState {
    const state = this.#stateAt(this.#age)
    if (state === 'lost') return 'lost'
    return state === 'held' && this.#stateAt(this.#age + this.gainedMs) === 'held' ? 'held' : 'doubtful'
  }

  /** How long the state lasts without a renewal, in milliseconds; `undefined` if the lease is lost. */
  get lastsMs(): number | undefined {
    const { ttlMs } = this.settings
    const age = this.#age
    if (age >= ttlMs) return undefined
    return (age < doubtfulFrom * ttlMs ? doubtfulFrom * ttlMs : ttlMs) - age
  }

  /** Whether the lease is valid by the steady clock and lost by the wall clock. */
  get isInDoubt(): boolean {
    return this.#stateAt(this.#age) !== 'lost' && this.#stateAt(this.#age + this.gainedMs) === 'lost'
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

  /** By how much the wall clock has gained on the steady clock since the latest renewal, in milliseconds. */
  get gainedMs(): number {
    const gainedMs = this.#baseNow - this.#base
    return gainedMs > correctedMs ? gainedMs : 0
  }

  /** Whether the lease was never lost since a moment of `clock.elapsed()`: then no node can have declared this node dead since. */
  isHeldSince(since: number): boolean {
    return this.state !== 'lost' && !this.isInDoubt && this.#unbrokenSince <= since
  }

  /** Notes that a renewal is sent now. */
  sends(): SentRenewal {
    return { sentAt: this.#clock.elapsed(), base: this.#baseNow }
  }

  /** Notes that a renewal was successful. */
  renewed({ sentAt, base }: SentRenewal): void {
    if (this.state === 'lost') this.#unbrokenSince = sentAt
    if (sentAt < this.#sentAt) return
    this.#sentAt = sentAt
    this.#base = base
    this.#wasSuspended = false
    if (this.state !== 'lost') this.#stoodStillMs = 0
  }

  /** Ends the doubt: the registry still has this node, so its wall clock was set. */
  confirm(): void {
    this.#base = this.#baseNow
  }

  /** Ends the doubt: the registry has lost this node, or does not answer. */
  expire(): void {
    this.#sentAt = -Infinity
    this.#wasSuspended = true
  }

  /** Whether the lease was lost because the machine was suspended, as far as this node knows. */
  get wasSuspended(): boolean {
    return this.#wasSuspended
  }

  get #age(): number {
    return this.#clock.elapsed() - this.#sentAt
  }

  get #baseNow(): number {
    return this.#clock.now() - this.#clock.elapsed()
  }

  #stateAt(age: number): LeaseState {
    const { ttlMs } = this.settings
    return age < doubtfulFrom * ttlMs ? 'held' : age < ttlMs ? 'doubtful' : 'lost'
  }

  get #stillMs(): number {
    return this.#stoodStillMs + Math.max(0, this.#clock.elapsed() - this.#tickDueAt)
  }
}
