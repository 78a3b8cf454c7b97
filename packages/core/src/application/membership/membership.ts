import type { CancelSchedule } from '../../ports/shared/clock.ts'
import { outcomeUnknown } from '../../ports/shared/errors.ts'
import type { NodeInfo } from '../../ports/node-registry.ts'
import type { LeaseState } from '../node/lease.ts'
import type { NodeContext } from '../node/context.ts'
import type { NodeListener } from '../node/listener.ts'

/** What the registry shows of the worker of this node. */
export type WorkerLoad = Pick<NodeInfo, 'running' | 'delivered'> & { readonly slots: NodeInfo['queues'] }

/** How many times per `renewMs` a failed renewal is retried. */
export const retriesPerRenewal = 5

/** How many times per `renewMs` the state of the lease is computed: after a suspension of the machine, no timer has been late. */
const checksPerRenewal = 5

/** Keeps this node registered, and reports each change of its lease. */
export class Membership {
  readonly #node: NodeContext
  readonly #name: string
  readonly #worker: WorkerLoad
  readonly #beats: { readonly beat: number }
  readonly #bodyWaits: { readonly blocked: Readonly<Record<string, number>> }
  readonly #listener: NodeListener
  /** By `clock.elapsed()`. */
  readonly #startedAt: number
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
    /** The latest beat that this node received back. */
    readonly beats: { readonly beat: number }
    /** The tasks that bodies of this node await. */
    readonly bodyWaits: { readonly blocked: Readonly<Record<string, number>> }
    readonly listener: NodeListener
  }) {
    this.#node = parts.node
    this.#name = parts.name
    this.#worker = parts.worker
    this.#beats = parts.beats
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

  #begin(): void {
    // Joining again replaces the scheduled renewal.
    this.#cancelRenewal?.()
    const { clock, lease } = this.#node
    const begunAt = clock.elapsed()
    lease.ticked(lease.settings.renewMs)
    this.#isRenewing = true
    this.#renewing = this.#renew().then((isRenewed) => {
      this.#isRenewing = false
      const periodMs = isRenewed ? lease.settings.renewMs : lease.settings.renewMs / retriesPerRenewal
      // Counted from the beginning of this renewal: a slow registry must not make renewals rarer.
      this.#schedule(Math.max(periodMs - (clock.elapsed() - begunAt), lease.settings.renewMs / retriesPerRenewal))
    })
  }

  #schedule(ms: number): void {
    if (this.#isLeaving) return
    const { clock, logger, lease } = this.#node
    const dueAt = clock.elapsed() + ms
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
      if (!this.#isRenewing) this.#begin()
    })
  }

  async #renew(): Promise<boolean> {
    const { storage, lease, logger } = this.#node
    const { ttlMs } = lease.settings
    if (lease.isInDoubt) await this.#endDoubt()
    const renewal = lease.sends()
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
    lease.renewed(renewal)
    this.#checkLease()
    this.#listener.leaseRenewed()
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
      beat: this.#beats.beat,
      ...(Object.keys(blocked).length === 0 ? {} : { blocked }),
    }
  }
}
