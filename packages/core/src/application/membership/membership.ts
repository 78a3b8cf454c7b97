import type { CancelSchedule } from '../../ports/shared/clock.ts'
import { outcomeUnknown } from '../../ports/shared/errors.ts'
import type { NodeInfo } from '../../ports/node-registry.ts'
import type { LeaseState } from '../node/lease.ts'
import type { NodeContext } from '../node/context.ts'
import type { NodeListener, Renewal } from '../node/listener.ts'

/** What the registry shows of the worker of this node. */
export type WorkerLoad = Pick<NodeInfo, 'running' | 'delivered'> & { readonly slots: NodeInfo['queues'] }

/** How many times per `renewMs` a failed renewal is retried, and how many times a node renews while another node is new to it. */
export const retriesPerRenewal = 5

/** How many times per `renewMs` the state of the lease is computed: after a suspension of the machine, no timer has been late. */
const checksPerRenewal = 5

/**
 * Keeps this node registered, and reports each change of its lease. It renews once per `renewMs`, and more often while another node is new:
 * each of the two has to show a few beats to the other before one of them can tell that they are apart.
 */
export class Membership {
  readonly #node: NodeContext
  readonly #name: string
  readonly #worker: WorkerLoad
  readonly #beats: { show(): number }
  readonly #peers: { readonly hasNew: boolean }
  readonly #bodyWaits: { readonly blocked: Readonly<Record<string, number>> }
  readonly #listener: NodeListener
  /** By `clock.elapsed()`. */
  readonly #startedAt: number
  /** When the latest renewal of the usual pace began, and when the next renewal is due, by `clock.elapsed()`. */
  #usualBeganAt = -Infinity
  #dueAt = Infinity
  /** Whether the next renewal was scheduled while another node was new. */
  #isHurrying = false
  #cancelRenewal: CancelSchedule | undefined
  #cancelLeaseCheck: CancelSchedule | undefined
  #state: LeaseState = 'lost'
  #isLeaving = false
  #renewing: Promise<void> = Promise.resolve()
  #isRenewing = false

  constructor(parts: {
    readonly node: NodeContext
    readonly name: string
    /** Read at each renewal. */
    readonly worker: WorkerLoad
    /** The beats of this node. */
    readonly beats: { show(): number }
    /** Whether another node is new to this one. */
    readonly peers: { readonly hasNew: boolean }
    /** The tasks that bodies of this node await. */
    readonly bodyWaits: { readonly blocked: Readonly<Record<string, number>> }
    readonly listener: NodeListener
  }) {
    this.#node = parts.node
    this.#name = parts.name
    this.#worker = parts.worker
    this.#beats = parts.beats
    this.#peers = parts.peers
    this.#bodyWaits = parts.bodyWaits
    this.#listener = parts.listener
    this.#startedAt = parts.node.clock.elapsed()
  }

  /** Registers this node now. Joining again updates the registry. */
  async join(): Promise<void> {
    await this.#renewing
    if (this.#isLeaving) return
    this.#begin()
    await this.#renewing
  }

  /** Another node may be new to this one: then the next renewal is earlier. */
  hurry(): void {
    if (this.#isRenewing || this.#isHurrying || this.#cancelRenewal === undefined || !this.#peers.hasNew) return
    const now = this.#node.clock.elapsed()
    // Half way between two renewals of the other node, which may be as early: a beat that arrives during a read of the registry is of no use.
    if (this.#dueAt > now + this.#closeMs) this.#scheduleNext(now - this.#closeMs / 2)
  }

  async leave(): Promise<void> {
    this.#isLeaving = true
    this.#cancelRenewal?.()
    this.#cancelLeaseCheck?.()
    try {
      await this.#renewing
      const { storage, deadlines, nodeId } = this.#node
      await deadlines.call(undefined, (signal) => storage.nodes.leave(nodeId, { signal }))
    } catch (error) {
      this.#node.logger.warn({ err: error }, 'failed to leave the node registry: the entry expires by itself')
    }
  }

  /** Computes the state of the lease, and reports a change. */
  #checkLease(): void {
    const { state, lastsMs, settings, isInDoubt } = this.#node.lease
    this.#cancelLeaseCheck?.()
    if (lastsMs !== undefined && !this.#isLeaving) {
      const checkMs = Math.min(lastsMs, settings.renewMs / checksPerRenewal)
      this.#cancelLeaseCheck = this.#node.clock.schedule(checkMs, () => this.#checkLease())
    }
    if (state !== this.#state) {
      this.#state = state
      this.#listener.leaseChanged(state)
    }
    // A renewal begins with the question whether the lease has expired.
    if (isInDoubt && !this.#isRenewing && !this.#isLeaving) this.#begin()
  }

  /** The time between two renewals if one has failed, or another node is new. */
  get #closeMs(): number {
    return this.#node.lease.settings.renewMs / retriesPerRenewal
  }

  #begin({ isEarly }: Renewal = { isEarly: false }): void {
    // Joining again replaces the scheduled renewal.
    this.#cancelRenewal?.()
    const { clock, lease } = this.#node
    const begunAt = clock.elapsed()
    if (!isEarly) this.#usualBeganAt = begunAt
    lease.ticked(lease.settings.renewMs)
    this.#isRenewing = true
    this.#renewing = this.#renew({ isEarly }).then((isRenewed) => {
      this.#isRenewing = false
      // Counted from the beginning of this renewal: a slow registry must not make renewals rarer.
      if (isRenewed) this.#scheduleNext(begunAt, clock.elapsed() + this.#closeMs)
      else this.#schedule(clock.elapsed() + this.#closeMs, { isEarly: false })
    })
  }

  /** Schedules the renewal that follows a successful one. `from` is when that began. */
  #scheduleNext(from: number, earliestAt = 0): void {
    const usualAt = this.#usualBeganAt + this.#node.lease.settings.renewMs
    const earlyAt = from + this.#closeMs
    // An early renewal just before a usual one is of no use.
    this.#isHurrying = this.#peers.hasNew
    const isEarly = this.#isHurrying && earlyAt < usualAt - 0.75 * this.#closeMs
    this.#schedule(Math.max(isEarly ? earlyAt : usualAt, earliestAt), { isEarly })
  }

  #schedule(at: number, { isEarly }: Renewal): void {
    if (this.#isLeaving) return
    this.#cancelRenewal?.()
    const { clock, logger, lease } = this.#node
    const dueAt = Math.max(at, clock.elapsed())
    const ms = dueAt - clock.elapsed()
    this.#dueAt = dueAt
    lease.ticked(ms)
    this.#cancelRenewal = clock.schedule(ms, () => {
      const blockedMs = clock.elapsed() - dueAt
      if (blockedMs >= lease.settings.renewMs)
        logger.warn(
          { blockedMs: Math.round(blockedMs), lease: lease.state },
          'stood still: the process was frozen or its event loop blocked; move work that keeps the processor busy to a worker thread',
        )
      // Check before the renewal: after a freeze the lease may be lost, and this node must stop its tasks.
      this.#checkLease()
      if (this.#isRenewing) return
      if (!isEarly || lease.state !== 'held') this.#begin()
      else if (this.#peers.hasNew) this.#begin({ isEarly })
      else this.#scheduleNext(clock.elapsed())
    })
  }

  async #renew(renewal: Renewal): Promise<boolean> {
    const { storage, lease, logger } = this.#node
    const { ttlMs } = lease.settings
    if (lease.isInDoubt) await this.#endDoubt()
    const sent = lease.sends()
    try {
      await this.#call((signal) => storage.nodes.renew(this.#info(), ttlMs, { signal }))
    } catch (error) {
      logger.warn({ err: error, lease: lease.state }, 'failed to renew the lease: retrying')
      this.#listener.renewalFailed(error)
      return false
    }
    // The machine was suspended meanwhile: the renewal may have arrived after other nodes saw the lease expire.
    if (lease.isInDoubt) {
      this.#standStill()
      return false
    }
    lease.renewed(sent)
    this.#checkLease()
    this.#listener.leaseRenewed(renewal)
    return true
  }

  /** Asks the registry whether the lease has expired: either the machine was suspended, or its wall clock was set forward. */
  async #endDoubt(): Promise<void> {
    const { storage, lease, nodeId, logger } = this.#node
    const { gainedMs } = lease
    let isRegistered = false
    try {
      const live = await this.#call((signal) => storage.nodes.live({ signal }))
      isRegistered = live.some((node) => node.nodeId === nodeId)
    } catch (error) {
      logger.warn({ err: error }, 'failed to read the node registry')
    }
    if (!isRegistered) return this.#standStill()
    lease.confirm()
    this.#checkLease()
    logger.warn({ setMs: Math.round(gainedMs) }, 'kept the lease: the wall clock of this node was set forward')
  }

  #standStill(): void {
    const { lease, logger } = this.#node
    const { gainedMs } = lease
    logger.warn(
      { suspendedMs: Math.round(gainedMs) },
      'stood still: the machine was suspended for longer than the lease, or its wall clock was set forward while storage did not answer',
    )
    lease.expire()
    this.#checkLease()
    this.#listener.stoodStill()
  }

  /** Calls the registry with a limit: the next renewal must not wait for a call that hangs. */
  async #call<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { deadlines, lease, clock } = this.#node
    const { renewMs } = lease.settings
    const tooLong = new AbortController()
    const cancel = clock.schedule(renewMs, () => tooLong.abort(outcomeUnknown(`the renewal of the lease timed out after ${renewMs} ms`)))
    try {
      return await deadlines.call(tooLong.signal, call)
    } finally {
      cancel()
    }
  }

  #info(): NodeInfo {
    const { slots, running, delivered } = this.#worker
    const { blocked } = this.#bodyWaits
    const { nodeId, clock } = this.#node
    const renewedAt = clock.now()
    // The age of the node is that of its steady clock: others compare both times, and the wall clock may have been set.
    const startedAt = Math.floor(renewedAt - (clock.elapsed() - this.#startedAt))
    return {
      nodeId,
      name: this.#name,
      startedAt,
      renewedAt,
      queues: slots,
      running,
      delivered,
      beat: this.#beats.show(),
      ...(Object.keys(blocked).length === 0 ? {} : { blocked }),
    }
  }
}
