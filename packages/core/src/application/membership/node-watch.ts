import type { CancelSchedule } from '../../ports/clock.ts'
import type { NodeInfo } from '../../ports/node-registry.ts'
import type { NodeContext } from '../node/context.ts'
import type { NodeListener } from '../node/listener.ts'

/** A node that did not renew itself when it should have, or was never seen at all. */
interface Missed {
  /** Since when, by `clock.elapsed()`. */
  readonly since: number
  /** In how many looks in a row it was not among the live ones. */
  absent: number
  /** Whether its death was told. */
  isReported: boolean
}

/** How long the dead are remembered, in milliseconds: a task that still names one later begins a new wait. */
const rememberedMs = 3_600_000

/** How much more often the registry is looked at while a node is missed. */
const closerLooks = 5

/** For how many lives of a lease a node that is missed but not gone is looked at more often: its lease may just be another. */
const closerForTtls = 2

/**
 * Knows which nodes live, as far as one node can. It looks at the registry after each renewal of its own, and more often while
 * somebody is missed. A node is *dead* where two looks in a row did not find it, at least one renewal after the one that it
 * missed; and nobody is declared dead by a node that could not reach the registry itself within the last life of a lease: an
 * outage of the store is no reason to take tasks away from those that run them.
 */
export class NodeWatch {
  readonly #node: NodeContext
  readonly #listener: NodeListener
  /** When each node was last seen to renew itself, by `clock.elapsed()`, and what its renewal said. */
  readonly #seen = new Map<string, { readonly renewedAt: number; readonly at: number }>()
  readonly #missed = new Map<string, Missed>()
  #live: readonly NodeInfo[] = []
  /** Since when the registry has answered whenever it was asked. */
  #answersSince = Infinity
  #lookedAt = -Infinity
  /** Whether somebody may have come and died since the last look but one. */
  #isUnaware = false
  #looking: Promise<boolean> | undefined
  #lookingAgain: Promise<boolean> | undefined
  #cancelLook: CancelSchedule | undefined
  #isStopped = false

  constructor(parts: { readonly node: NodeContext; readonly listener: NodeListener }) {
    this.#node = parts.node
    this.#listener = parts.listener
  }

  /** The nodes of the latest look. */
  get live(): readonly NodeInfo[] {
    return this.#live
  }

  isLive(nodeId: string): boolean {
    return nodeId === this.#node.nodeId || this.#live.some((node) => node.nodeId === nodeId)
  }

  /** Whether the latest look is worth something. */
  get isSighted(): boolean {
    return this.#answersSince < Infinity
  }

  /** Whether this node may judge others at all. */
  get isTrusted(): boolean {
    const { clock, lease } = this.#node
    return lease.state === 'held' && clock.elapsed() - this.#answersSince >= lease.settings.ttlMs
  }

  isDead(nodeId: string): boolean {
    const missed = this.#missed.get(nodeId)
    if (missed === undefined || this.isLive(nodeId) || !this.isTrusted) return false
    return missed.absent >= 2 && this.#node.clock.elapsed() - missed.since >= this.#node.lease.settings.renewMs
  }

  /** A task says that a node runs it which is not among the live ones. */
  miss(nodeId: string): void {
    if (this.isLive(nodeId) || this.#missed.has(nodeId)) return
    this.#keepMissed(nodeId, this.#node.clock.elapsed())
    this.#lookSoon()
  }

  /** The registry could not be reached: whatever it says next, others may not have reached it either. */
  lostSight(): void {
    this.#answersSince = Infinity
    // Whoever was told of a death may not have come to do anything about it: it is told again.
    for (const missed of this.#missed.values()) missed.isReported = false
  }

  /** Looks at the registry; one look at a time. Whether it answered, and knows this node. */
  look(): Promise<boolean> {
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined))
    return this.#looking
  }

  /** A look that begins after this was asked: what was read before is no older than it. */
  lookAgain(): Promise<boolean> {
    this.#lookingAgain ??= (this.#looking ?? Promise.resolve(false)).then(() => {
      this.#lookingAgain = undefined
      return this.look()
    })
    return this.#lookingAgain
  }

  stop(): void {
    this.#isStopped = true
    this.#cancelLook?.()
  }

  async #look(): Promise<boolean> {
    const { storage, deadlines, logger, clock, lease, nodeId, closed } = this.#node
    let live: readonly NodeInfo[]
    const beganAt = clock.elapsed()
    try {
      live = await deadlines.call(undefined, (signal) => storage.nodes.live({ signal }))
    } catch (error) {
      if (!closed.aborted) logger.warn({ err: error }, 'the registry of nodes could not be looked at')
      this.lostSight()
      return false
    }
    // A registry that has forgotten this node, which lives, may have forgotten others.
    const isSound = lease.state === 'held' && live.some((node) => node.nodeId === nodeId)
    // Whoever did not look for a while does not know what the registry went through.
    const isLate = beganAt - this.#lookedAt > lease.settings.ttlMs
    if (!isSound || isLate) this.lostSight()
    this.#isUnaware ||= isLate && this.#lookedAt > -Infinity
    if (isSound) this.#answersSince = Math.min(this.#answersSince, beganAt)
    this.#lookedAt = beganAt
    this.#live = live
    this.#compare(beganAt)
    if (isSound && this.#isUnaware) {
      this.#isUnaware = false
      this.#listener.nodesUnseen()
    }
    if (this.#isCurious) this.#lookSoon()
    return isSound
  }

  #compare(now: number): void {
    const live = new Set(this.#live.map(({ nodeId }) => nodeId))
    for (const node of this.#live) this.#compareLive(node, now)
    const { renewMs } = this.#node.lease.settings
    for (const [nodeId, { at }] of this.#seen) if (!live.has(nodeId)) this.#keepMissed(nodeId, at + renewMs)
    for (const [nodeId, missed] of this.#missed) {
      if (live.has(nodeId)) continue
      missed.absent++
      this.#seen.delete(nodeId)
      if (!missed.isReported && this.isDead(nodeId)) {
        missed.isReported = true
        this.#listener.nodeDied(nodeId)
      } else if (missed.isReported && now - missed.since > rememberedMs) this.#missed.delete(nodeId)
    }
  }

  #compareLive({ nodeId, renewedAt }: NodeInfo, now: number): void {
    const { renewMs, ttlMs } = this.#node.lease.settings
    const seen = this.#seen.get(nodeId)
    const overdueMs = seen?.renewedAt === renewedAt ? now - seen.at : 0
    if (overdueMs === 0) this.#seen.set(nodeId, { renewedAt, at: now })
    // One that is overdue for ever has another lease than this node: it is known when it vanishes.
    if (seen !== undefined && overdueMs > 1.5 * renewMs && overdueMs < closerForTtls * ttlMs) this.#keepMissed(nodeId, seen.at + renewMs)
    else this.#missed.delete(nodeId)
  }

  #keepMissed(nodeId: string, since: number): void {
    if (!this.#missed.has(nodeId)) this.#missed.set(nodeId, { since, absent: 0, isReported: false })
  }

  /** Whether somebody may turn out to be dead before long. */
  get #isCurious(): boolean {
    const { clock, lease } = this.#node
    const recently = clock.elapsed() - closerForTtls * lease.settings.ttlMs
    for (const { since, isReported } of this.#missed.values()) if (!isReported && since > recently) return true
    return false
  }

  #lookSoon(): void {
    if (this.#isStopped) return
    this.#cancelLook?.()
    this.#cancelLook = this.#node.clock.schedule(this.#node.lease.settings.renewMs / closerLooks, () => void this.look())
  }
}
