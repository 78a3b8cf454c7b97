import type { NodeInfo } from '../../ports/node-registry.ts'
import type { Clock } from '../../ports/shared/clock.ts'

/** How long the clock of a node that left is remembered, and so is an earlier setting of the own clock, in milliseconds. */
const rememberedMs = 86_400_000

/** How many renewals of a node the estimate of its clock is made from. */
const maxSamples = 5

/** A change of the own wall clock against the own steady clock that is smaller than this is drift, in milliseconds. */
const driftMs = 500

/** What this node knows of the wall clock of another node. A *base* is what a wall clock shows when `clock.elapsed()` of this node is 0. */
interface KnownClock {
  /** The time that the latest renewal carried. */
  readonly renewedAt: number
  /** When this node last saw a new renewal, by `clock.elapsed()`. */
  readonly seenAt: number
  /** Estimates of the base, each too low by the age of the renewal when it was seen. */
  readonly samples: readonly number[]
}

/** A setting of the own wall clock. */
interface OwnSetting {
  readonly base: number
  /** Until when it was in force, by `clock.elapsed()`. */
  until: number
}

/**
 * The wall clocks of the nodes, against the steady clock of this node. Clocks of two nodes may differ by hours: translate a time that another
 * node wrote before you compare it. Each renewal of a node in the registry carries the time of its clock.
 */
export class ClusterClocks {
  readonly #clock: Clock
  readonly #nodeId: string
  readonly #known = new Map<string, KnownClock>()
  readonly #own: OwnSetting[] = []
  #live: ReadonlySet<string> = new Set()
  #readAt = -Infinity

  constructor(parts: { readonly clock: Clock; readonly nodeId: string }) {
    this.#clock = parts.clock
    this.#nodeId = parts.nodeId
    this.#noteOwn()
  }

  /** Notes a read of the registry that began at this moment of `clock.elapsed()`. */
  noteRead(live: readonly Pick<NodeInfo, 'nodeId' | 'renewedAt'>[], beganAt: number): void {
    const now = this.#clock.elapsed()
    this.#noteOwn()
    this.#live = new Set(live.map(({ nodeId }) => nodeId))
    // A renewal that this read shows for the first time is not older than this, unless its node is new to this one.
    const maxAgeMs = 2 * (now - this.#readAt)
    for (const { nodeId, renewedAt } of live) if (nodeId !== this.#nodeId) this.#noteRenewal(nodeId, renewedAt, now, maxAgeMs)
    for (const [nodeId, { seenAt }] of this.#known) if (now - seenAt > rememberedMs) this.#known.delete(nodeId)
    this.#readAt = beganAt
  }

  /** Now, by the clock that is furthest ahead, of this node or of a node that was seen within a day. Milliseconds since 1970. */
  fastestNow(): number {
    return Math.floor(Math.max(this.#clock.now(), Math.max(...this.#bases()) + this.#clock.elapsed()))
  }

  /**
   * Now, by the clock that is furthest behind, of this node or of a node that was seen within a day. If the own wall clock was set forward, it
   * counts as it was before, for a day. Milliseconds since 1970.
   */
  slowestNow(): number {
    return Math.floor(Math.min(this.#clock.now(), Math.min(...this.#bases()) + this.#clock.elapsed()))
  }

  /**
   * When the wall clock of a node shows a time, by `clock.elapsed()` of this node; `undefined` if this node does not know the clock. The
   * answer may be late by the time between two renewals.
   */
  elapsedAt(time: number, nodeId: string): number | undefined {
    const base = nodeId === this.#nodeId ? this.#ownBase : this.#baseOf(nodeId)
    return base === undefined ? undefined : time - base
  }

  /**
   * How far the wall clock of this node is ahead of the median of the other live nodes, in milliseconds; `undefined` if there is no other.
   * The answer may be too high by the time between two renewals.
   */
  get aheadMs(): number | undefined {
    const others = [...this.#live].flatMap((nodeId) => this.#baseOf(nodeId) ?? []).sort((a, b) => a - b)
    const median = others[Math.floor(others.length / 2)]
    return median === undefined ? undefined : this.#ownBase - median
  }

  get #ownBase(): number {
    return this.#clock.now() - this.#clock.elapsed()
  }

  #baseOf(nodeId: string): number | undefined {
    const known = this.#known.get(nodeId)
    return known === undefined ? undefined : Math.max(...known.samples)
  }

  #bases(): readonly number[] {
    this.#noteOwn()
    return [...this.#own.map(({ base }) => base), ...[...this.#known.values()].map(({ samples }) => Math.max(...samples))]
  }

  #noteRenewal(nodeId: string, renewedAt: number, now: number, maxAgeMs: number): void {
    const known = this.#known.get(nodeId)
    if (known?.renewedAt === renewedAt) return
    const sample = renewedAt - now
    const samples = known?.samples ?? []
    // Lower than any age explains: the clock was set back, so the earlier estimates are void.
    const isSetBack = sample < Math.max(...samples) - maxAgeMs
    this.#known.set(nodeId, { renewedAt, seenAt: now, samples: isSetBack ? [sample] : [sample, ...samples].slice(0, maxSamples) })
  }

  /** Notes the setting of the own wall clock, and drops the settings of long ago. */
  #noteOwn(): void {
    const now = this.#clock.elapsed()
    const base = this.#ownBase
    const latest = this.#own.at(-1)
    if (latest !== undefined && Math.abs(latest.base - base) <= driftMs) latest.until = now
    else this.#own.push({ base, until: now })
    while (now - (this.#own[0]?.until ?? now) > rememberedMs) this.#own.shift()
  }
}
