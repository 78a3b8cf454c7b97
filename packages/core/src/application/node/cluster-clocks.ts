import type { NodeInfo } from '../../ports/node-registry.ts'
import type { Clock } from '../../ports/shared/clock.ts'
import { WallClock } from './wall-clock.ts'

/** How long the clock of a node that left is remembered, and so are earlier settings of a clock, in milliseconds. */
const rememberedMs = 86_400_000

/** A smaller change of the own wall clock against the own steady clock is a correction, in milliseconds. */
const correctedMs = 500

/**
 * The wall clocks of the nodes, against the steady clock of this node. Clocks of two nodes may differ by hours: translate a time that another
 * node wrote before you compare it. Each renewal of a node in the registry carries the time of its clock.
 */
export class ClusterClocks {
  readonly #clock: Clock
  readonly #nodeId: string
  readonly #own = new WallClock()
  readonly #others = new Map<string, { readonly wallClock: WallClock; renewedAt: number }>()
  /** The nodes that were heard and that no read of the registry has shown, each with when it was heard last. */
  readonly #unlisted = new Map<string, number>()
  #live: ReadonlySet<string> = new Set()
  #readAt = -Infinity

  constructor(parts: { readonly clock: Clock; readonly nodeId: string }) {
    this.#clock = parts.clock
    this.#nodeId = parts.nodeId
  }

  /** Notes a read of the registry that began at this moment of `clock.elapsed()`. */
  noteRead(live: readonly Pick<NodeInfo, 'nodeId' | 'renewedAt'>[], beganAt: number): void {
    const now = this.#clock.elapsed()
    this.#live = new Set(live.map(({ nodeId }) => nodeId))
    // A renewal that this read shows for the first time is not older than this, unless its node is new to this one.
    const maxAgeMs = 2 * (now - this.#readAt)
    for (const { nodeId, renewedAt } of live) if (nodeId !== this.#nodeId) this.#noteRenewal(nodeId, renewedAt, now, maxAgeMs)
    for (const [nodeId, { wallClock }] of this.#others) {
      wallClock.forget(now - rememberedMs)
      if (now - wallClock.seenAt > rememberedMs) this.#others.delete(nodeId)
    }
    for (const [nodeId, heardAt] of this.#unlisted) if (now - heardAt > rememberedMs) this.#unlisted.delete(nodeId)
    this.#ownNow().forget(now - rememberedMs)
    this.#readAt = beganAt
  }

  /** Notes a beat of another node. A node lives before the registry shows its clock, if its renewals fail. */
  noteHeard(nodeId: string): void {
    if (!this.knows(nodeId)) this.#unlisted.set(nodeId, this.#clock.elapsed())
  }

  /** Now, by the clock that is furthest ahead, of this node or of a node that was seen within a day. Milliseconds since 1970. */
  fastestNow(): number {
    return Math.floor(Math.max(...this.#bases()) + this.#clock.elapsed())
  }

  /**
   * Now, by the clock that is furthest behind, of this node or of a node that was seen within a day. A clock that was set forward counts as it
   * was before, for a day. Milliseconds since 1970.
   */
  slowestNow(): number {
    return Math.floor(Math.min(...this.#bases()) + this.#clock.elapsed())
  }

  /** Whether this node knows the clock of a node. */
  knows(nodeId: string): boolean {
    return nodeId === this.#nodeId || this.#others.has(nodeId)
  }

  /**
   * When the wall clock of a node shows a time, by `clock.elapsed()` of this node. The answer may be late by the time between two renewals. A
   * clock that this node does not know counts as the median of the live nodes, because its node is most likely gone. `writtenAt` is when the
   * node wrote the time, by the same wall clock: the node's clock may have been set since. If no setting of the clock fits, the latest possible
   * moment is returned: Infinity if the node was heard and the registry has never shown it.
   */
  elapsedAt(time: number, nodeId: string, writtenAt: number = time): number {
    const wallClock = this.#wallClockOf(nodeId)
    if (wallClock !== undefined) return wallClock.elapsedAt(time, writtenAt, this.#clock.elapsed()).latest
    return this.#unlisted.has(nodeId) ? Infinity : time - this.#medianBase
  }

  /** The earliest moment at which the wall clock of a node may have shown a time; -Infinity if this node does not know the clock. */
  earliestAt(time: number, nodeId: string, writtenAt: number): number {
    return this.#wallClockOf(nodeId)?.elapsedAt(time, writtenAt, this.#clock.elapsed()).earliest ?? -Infinity
  }

  /** Now, by the wall clock of a node, in milliseconds since 1970. The answer may be early by the time between two renewals. */
  nowOn(nodeId: string): number {
    return (this.#wallClockOf(nodeId)?.base ?? this.#medianBase) + this.#clock.elapsed()
  }

  /**
   * How far the wall clock of this node is ahead of the median of the other live nodes, in milliseconds; `undefined` if this node has not seen
   * another node renew twice.
   * The answer may be too high by the time between two renewals.
   */
  get aheadMs(): number | undefined {
    const others = this.#otherClocks.filter(({ isSettled }) => isSettled).map(({ base }) => base)
    return others.length === 0 ? undefined : this.#ownNow().base - medianOf(others)
  }

  /** Of this node and the other live nodes. */
  get #medianBase(): number {
    return medianOf([this.#ownNow(), ...this.#otherClocks].map(({ base }) => base))
  }

  /** Of the other live nodes. */
  get #otherClocks(): readonly WallClock[] {
    return [...this.#live].flatMap((nodeId) => this.#others.get(nodeId)?.wallClock ?? [])
  }

  #bases(): readonly number[] {
    return [this.#ownNow(), ...Array.from(this.#others.values(), ({ wallClock }) => wallClock)].flatMap(({ bases }) => bases)
  }

  #wallClockOf(nodeId: string): WallClock | undefined {
    return nodeId === this.#nodeId ? this.#ownNow() : this.#others.get(nodeId)?.wallClock
  }

  /** The own clock, as it is set now. */
  #ownNow(): WallClock {
    this.#own.note(this.#clock.now(), this.#clock.elapsed(), correctedMs)
    return this.#own
  }

  #noteRenewal(nodeId: string, renewedAt: number, now: number, maxAgeMs: number): void {
    const known = this.#others.get(nodeId) ?? { wallClock: new WallClock(), renewedAt: NaN }
    if (known.renewedAt === renewedAt) return
    known.wallClock.note(renewedAt, now, maxAgeMs)
    known.renewedAt = renewedAt
    this.#unlisted.delete(nodeId)
    this.#others.set(nodeId, known)
  }
}

/** The median; of an even number, the lower of the two: then a task starts rather late than early. */
const medianOf = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? NaN
