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

/** Keeps this node registered, and reports each change of its lease. */
export class Membership {
  readonly #node: NodeContext
  readonly #name: string
  readonly #worker: WorkerLoad
  readonly #beats: { readonly beat: number }
  readonly #listener: NodeListener
  readonly #startedAt: number
  #cancelRenewal: CancelSchedule | undefined
  #cancelLeaseCheck: CancelSchedule | undefined
  #state: LeaseState = 'lost'
  #isLeaving = false
  #renewing: Promise<void> = Promise.resolve()

  constructor(parts: {
    readonly node: NodeContext
    readonly name: string
    /** Read at each renewal. */
    readonly worker: WorkerLoad
    /** The latest beat that this node received back. */
    readonly beats: { readonly beat: number }
    readonly listener: NodeListener
  }) {
    this.#node = parts.node
    this.#name = parts.name
    this.#worker = parts.worker
    this.#beats = parts.beats
    this.#listener = parts.listener
    this.#startedAt = parts.node.clock.now()
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
    const { state, lastsMs } = this.#node.lease
    this.#cancelLeaseCheck?.()
    if (lastsMs !== undefined && !this.#isLeaving) this.#cancelLeaseCheck = this.#node.clock.schedule(lastsMs, () => this.#checkLease())
    if (state === this.#state) return
    this.#state = state
    this.#listener.leaseChanged(state)
  }

  #begin(): void {
    // Joining again replaces the scheduled renewal.
    this.#cancelRenewal?.()
    const { clock, lease } = this.#node
    const begunAt = clock.elapsed()
    lease.ticked(lease.settings.renewMs)
    this.#renewing = this.#renew(begunAt).then((isRenewed) => {
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
      this.#begin()
    })
  }

  async #renew(sentAt: number): Promise<boolean> {
    const { storage, deadlines, lease, clock, logger } = this.#node
    const { renewMs, ttlMs } = lease.settings
    const tooLong = new AbortController()
    // The next renewal must not wait for a renewal that hangs.
    const cancel = clock.schedule(renewMs, () => tooLong.abort(outcomeUnknown(`the renewal of the lease timed out after ${renewMs} ms`)))
    try {
      await deadlines.call(tooLong.signal, (signal) => storage.nodes.renew(this.#info(), ttlMs, { signal }))
    } catch (error) {
      logger.warn({ err: error, lease: lease.state }, 'failed to renew the lease: retrying')
      this.#listener.renewalFailed(error)
      return false
    } finally {
      cancel()
    }
    lease.renewed(sentAt)
    this.#checkLease()
    this.#listener.leaseRenewed()
    return true
  }

  #info(): NodeInfo {
    const { slots, running, delivered } = this.#worker
    const { nodeId, clock } = this.#node
    const [startedAt, renewedAt] = [this.#startedAt, clock.now()]
    return { nodeId, name: this.#name, startedAt, renewedAt, queues: slots, running, delivered, beat: this.#beats.beat }
  }
}
