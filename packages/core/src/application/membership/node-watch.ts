import type { CancelSchedule } from '../../ports/shared/clock.ts'
import type { NodeInfo, UnreadableNode } from '../../ports/node-registry.ts'
import { isUnreadableNode } from '../../ports/node-registry.ts'
import type { NodeContext } from '../node/context.ts'
import type { NodeListener } from '../node/listener.ts'
import type { ClockCheck } from './clock-check.ts'

/** A node that missed a renewal, or that a task names although the registry does not have it. */
interface MissingNode {
  /** Since when, by `clock.elapsed()`. */
  readonly since: number
  /** The number of consecutive registry reads without the node. */
  absent: number
  /** Whether its death was reported. */
  isReported: boolean
}

/** How long a dead node is remembered, in milliseconds. A task that names it later begins a new wait. */
const rememberedMs = 3_600_000

/** How many times per `renewMs` the registry is read while a node is missing. */
const readsPerRenewal = 5

/** For how many `ttlMs` a missing node makes the reads more frequent. A node that stays registered longer has a longer lease. */
const closeReadTtls = 2

/**
 * Watches which nodes are alive. It reads the registry after each renewal of its own lease, and more often while a node is missing. A node
 * is *dead* if two consecutive reads did not find it, at least one `renewMs` after the renewal that it missing. A node that could not read
 * the registry at some time within the last `ttlMs` declares no node dead: during an outage of the store running nodes cannot renew either.
 */
export class NodeWatch {
  readonly #node: NodeContext
  readonly #listener: NodeListener
  readonly #clockCheck: ClockCheck
  /** For each node, when this node saw its latest renewal (`clock.elapsed()`), and the time that the renewal carried. */
  readonly #seen = new Map<string, { readonly renewedAt: number; readonly at: number }>()
  readonly #missing = new Map<string, MissingNode>()
  #live: readonly NodeInfo[] = []
  /** The nodes of the latest read whose entries could not be read: of those only is known that they are alive. */
  #unreadable: ReadonlySet<string> = new Set()
  /** Since when every read of the registry has succeeded, by `clock.elapsed()`. */
  #answersSince = Infinity
  #readAt = -Infinity
  /** Whether a node may have joined and died between two reads. */
  #mayHaveMissedNodes = false
  #reading: Promise<boolean> | undefined
  #readingFromNow: Promise<boolean> | undefined
  #cancelRead: CancelSchedule | undefined
  #isStopped = false

  constructor(parts: { readonly node: NodeContext; readonly listener: NodeListener; readonly clockCheck: ClockCheck }) {
    this.#node = parts.node
    this.#clockCheck = parts.clockCheck
    this.#listener = parts.listener
  }

  /** The nodes of the latest read whose entries could be read. */
  get live(): readonly NodeInfo[] {
    return this.#live
  }

  /** Whether the latest read found this node and no other. */
  get isAlone(): boolean {
    return this.#unreadable.size === 0 && this.#live.length === 1 && this.#live[0]?.nodeId === this.#node.nodeId
  }

  isLive(nodeId: string): boolean {
    return nodeId === this.#node.nodeId || this.#unreadable.has(nodeId) || this.#live.some((node) => node.nodeId === nodeId)
  }

  /** Whether the latest read is reliable. */
  get isReliable(): boolean {
    return this.#answersSince < Infinity
  }

  /** When the latest successful read began, by `clock.elapsed()`. */
  get readAt(): number {
    return this.#readAt
  }

  /** Whether this node may declare others dead. */
  get canDeclareDead(): boolean {
    const { clock, lease } = this.#node
    return lease.state === 'held' && clock.elapsed() - this.#answersSince >= lease.settings.ttlMs
  }

  isDead(nodeId: string): boolean {
    const missing = this.#missing.get(nodeId)
    if (missing === undefined || this.isLive(nodeId) || !this.canDeclareDead) return false
    return missing.absent >= 2 && this.#node.clock.elapsed() - missing.since >= this.#node.lease.settings.renewMs
  }

  /** Watches for the death of a node that a task names although the registry does not have it. */
  miss(nodeId: string): void {
    if (this.isLive(nodeId) || this.#missing.has(nodeId)) return
    this.#noteMissing(nodeId, this.#node.clock.elapsed())
    this.#readSoon()
  }

  /** Notes that the registry failed: other nodes may have failed to renew, too, so its next answer proves no death. */
  distrust(): void {
    this.#answersSince = Infinity
    // The sweep after a report may have failed in the same outage: report the death again.
    for (const missing of this.#missing.values()) missing.isReported = false
  }

  /** Reads the registry, one read at a time. Returns whether the answer is reliable: it has this node, which holds its lease. */
  refresh(): Promise<boolean> {
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined))
    return this.#reading
  }

  /** Reads the registry by a read that begins after this call: the answer of a read under way may be older. */
  refreshFromNow(): Promise<boolean> {
    this.#readingFromNow ??= (this.#reading ?? Promise.resolve(false)).then(() => {
      this.#readingFromNow = undefined
      return this.refresh()
    })
    return this.#readingFromNow
  }

  stop(): void {
    this.#isStopped = true
    this.#cancelRead?.()
  }

  async #read(): Promise<boolean> {
    const { storage, deadlines, logger, clock, clocks, lease, nodeId, closed } = this.#node
    let live: readonly (NodeInfo | UnreadableNode)[]
    const beganAt = clock.elapsed()
    try {
      live = await deadlines.call(undefined, (signal) => storage.nodes.live({ signal }))
    } catch (error) {
      if (!closed.aborted) logger.warn({ err: error }, 'failed to read the node registry')
      this.distrust()
      return false
    }
    // A registry that has lost this live node may have lost others.
    const isSound = lease.state === 'held' && live.some((node) => node.nodeId === nodeId)
    // After a pause in its reads, this node does not know whether the registry was available meanwhile.
    const isLate = beganAt - this.#readAt > lease.settings.ttlMs
    if (!isSound || isLate) this.distrust()
    this.#mayHaveMissedNodes ||= isLate && this.#readAt > -Infinity
    if (isSound) this.#answersSince = Math.min(this.#answersSince, beganAt)
    this.#readAt = beganAt
    this.#live = live.filter((node): node is NodeInfo => !isUnreadableNode(node))
    this.#noteUnreadable(live.filter(isUnreadableNode), beganAt)
    clocks.noteRead(this.#live, beganAt)
    this.#clockCheck.look()
    this.#compare(beganAt)
    this.#listener.nodesRead({ live, isSound, beganAt })
    if (isSound && this.#mayHaveMissedNodes) {
      this.#mayHaveMissedNodes = false
      this.#listener.nodesUnseen()
    }
    if (this.#expectsDeath) this.#readSoon()
    return isSound
  }

  #compare(now: number): void {
    const live = new Set([...this.#unreadable, ...this.#live.map(({ nodeId }) => nodeId)])
    for (const node of this.#live) this.#compareLive(node, now)
    const { renewMs } = this.#node.lease.settings
    for (const [nodeId, { at }] of this.#seen) if (!live.has(nodeId)) this.#noteMissing(nodeId, at + renewMs)
    for (const [nodeId, missing] of this.#missing) {
      if (live.has(nodeId)) continue
      missing.absent++
      this.#seen.delete(nodeId)
      if (!missing.isReported && this.isDead(nodeId)) {
        missing.isReported = true
        this.#listener.nodeDied(nodeId)
      } else if (missing.isReported && now - missing.since > rememberedMs) this.#missing.delete(nodeId)
    }
  }

  /** A node whose entry cannot be read is alive, and no renewal of it can be overdue: nobody knows when it renewed. */
  #noteUnreadable(nodes: readonly UnreadableNode[], now: number): void {
    for (const { nodeId, unreadable } of nodes) {
      this.#seen.set(nodeId, { renewedAt: Number.NaN, at: now })
      this.#missing.delete(nodeId)
      if (!this.#unreadable.has(nodeId))
        this.#node.logger.warn(
          { node: nodeId, reason: unreadable },
          'cannot read the entry of a live node: it counts as alive, with no queues',
        )
    }
    this.#unreadable = new Set(nodes.map(({ nodeId }) => nodeId))
  }

  #compareLive({ nodeId, renewedAt }: NodeInfo, now: number): void {
    const { renewMs, ttlMs } = this.#node.lease.settings
    const seen = this.#seen.get(nodeId)
    const overdueMs = seen?.renewedAt === renewedAt ? now - seen.at : 0
    if (overdueMs === 0) this.#seen.set(nodeId, { renewedAt, at: now })
    // A node that is always overdue has a longer lease than this node: wait for its registry entry to expire.
    if (seen !== undefined && overdueMs > 1.5 * renewMs && overdueMs < closeReadTtls * ttlMs) this.#noteMissing(nodeId, seen.at + renewMs)
    else this.#missing.delete(nodeId)
  }

  #noteMissing(nodeId: string, since: number): void {
    if (!this.#missing.has(nodeId)) this.#missing.set(nodeId, { since, absent: 0, isReported: false })
  }

  /** Whether a missing node may soon be dead. */
  get #expectsDeath(): boolean {
    const { clock, lease } = this.#node
    const recently = clock.elapsed() - closeReadTtls * lease.settings.ttlMs
    for (const { since, isReported } of this.#missing.values()) if (!isReported && since > recently) return true
    return false
  }

  #readSoon(): void {
    if (this.#isStopped) return
    this.#cancelRead?.()
    this.#cancelRead = this.#node.clock.schedule(this.#node.lease.settings.renewMs / readsPerRenewal, () => void this.refresh())
  }
}
