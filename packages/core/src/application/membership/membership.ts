import type { CancelSchedule } from '../../ports/clock.ts'
import { outcomeUnknown } from '../../ports/errors.ts'
import type { NodeInfo } from '../../ports/node-registry.ts'
import type { LeaseState } from '../node/lease.ts'
import type { NodeContext } from '../node/context.ts'
import type { NodeListener } from '../node/listener.ts'

/** What the registry shows of the worker of this node. */
export type WorkerLoad = Pick<NodeInfo, 'running' | 'delivered'> & { readonly slots: NodeInfo['queues'] }

/** How much sooner a renewal that failed is tried again. */
const retries = 5

/** Shows this node among the live ones for as long as it is, and tells the rest of it what its lease is worth. */
export class Membership {
  readonly #node: NodeContext
  readonly #name: string
  readonly #worker: WorkerLoad
  readonly #listener: NodeListener
  readonly #startedAt: number
  #cancelRenewal: CancelSchedule | undefined
  #cancelReckoning: CancelSchedule | undefined
  #state: LeaseState = 'lost'
  #isLeaving = false
  #renewing: Promise<void> = Promise.resolve()

  constructor(parts: {
    readonly node: NodeContext
    readonly name: string
    /** Read at each renewal. */
    readonly worker: WorkerLoad
    readonly listener: NodeListener
  }) {
    this.#node = parts.node
    this.#name = parts.name
    this.#worker = parts.worker
    this.#listener = parts.listener
    this.#startedAt = parts.node.clock.now()
  }

  /** Shows the node at once. Joining again shows what has changed. */
  async join(): Promise<void> {
    await this.#renewing
    if (this.#isLeaving) return
    this.#begin()
    await this.#renewing
  }

  async leave(): Promise<void> {
    this.#isLeaving = true
    this.#cancelRenewal?.()
    this.#cancelReckoning?.()
    try {
      await this.#renewing
      const { storage, deadlines, nodeId } = this.#node
      await deadlines.call(undefined, (signal) => storage.nodes.leave(nodeId, { signal }))
    } catch (error) {
      this.#node.logger.warn({ err: error }, 'the node could not take itself out of the registry; it vanishes by itself')
    }
  }

  /** Looks what the lease is worth, and tells the rest of the node where that has changed. */
  reckon(): void {
    const { state, lastsMs } = this.#node.lease
    this.#cancelReckoning?.()
    if (lastsMs !== undefined && !this.#isLeaving) this.#cancelReckoning = this.#node.clock.schedule(lastsMs, () => this.reckon())
    if (state === this.#state) return
    this.#state = state
    this.#listener.leaseChanged(state)
  }

  #begin(): void {
    // One of two: the node may have joined again meanwhile.
    this.#cancelRenewal?.()
    const { clock, lease } = this.#node
    const begunAt = clock.elapsed()
    this.#renewing = this.#renew(begunAt).then((isRenewed) => {
      const periodMs = isRenewed ? lease.settings.renewMs : lease.settings.renewMs / retries
      // Counted from the beginning, so that a slow registry makes renewals no rarer.
      this.#schedule(Math.max(periodMs - (clock.elapsed() - begunAt), lease.settings.renewMs / retries))
    })
  }

  #schedule(ms: number): void {
    if (this.#isLeaving) return
    const { clock, logger, lease } = this.#node
    const dueAt = clock.elapsed() + ms
    this.#cancelRenewal = clock.schedule(ms, () => {
      const blockedMs = clock.elapsed() - dueAt
      if (blockedMs >= lease.settings.renewMs)
        logger.warn(
          { blockedMs: Math.round(blockedMs), lease: lease.state },
          'this node stood still: its process was frozen, or its event loop was blocked; work that keeps a processor busy belongs into a worker thread',
        )
      // Before anything else: whoever was frozen must not go on as if nothing had been.
      this.reckon()
      this.#begin()
    })
  }

  async #renew(sentAt: number): Promise<boolean> {
    const { storage, deadlines, lease, clock, logger } = this.#node
    const { renewMs, ttlMs } = lease.settings
    const tooLong = new AbortController()
    // The next renewal must not wait for one that hangs.
    const cancel = clock.schedule(renewMs, () => tooLong.abort(outcomeUnknown(`a renewal took longer than ${renewMs} ms`)))
    try {
      await deadlines.call(tooLong.signal, (signal) => storage.nodes.renew(this.#info(), ttlMs, { signal }))
    } catch (error) {
      logger.warn({ err: error, lease: lease.state }, 'the node could not renew itself in the registry and tries again')
      this.#listener.renewalFailed(error)
      return false
    } finally {
      cancel()
    }
    lease.renewed(sentAt)
    this.reckon()
    this.#listener.leaseRenewed()
    return true
  }

  #info(): NodeInfo {
    const { slots, running, delivered } = this.#worker
    const { nodeId, clock } = this.#node
    return { nodeId, name: this.#name, startedAt: this.#startedAt, renewedAt: clock.now(), queues: slots, running, delivered }
  }
}
