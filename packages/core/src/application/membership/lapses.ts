import type { NodeContext } from '../node/context.ts'
import { retriesPerRenewal } from './membership.ts'
import type { NodeWatch } from './node-watch.ts'

/** The parts of the node that a lapse of its lease concerns. */
interface Lapsing {
  /** How many tasks run here. */
  readonly running: number
  /** Stops the running tasks. `isCrash` says whether this process stood still. */
  loseLease(isCrash: boolean): void
}

/**
 * Decides whether the running tasks have to stop when the lease of this node has lapsed. They stop, because other nodes may have declared
 * this node dead and may run them. The exception is a node without peers that stood still: it renews its lease first and reads the registry.
 * If no other node is there, no node can have taken the tasks over, and they go on. What a node did that came and went meanwhile is in the
 * histories, which this node reads again after each renewal.
 *
 * A node without peers that cannot reach the registry does not wait: another node may start at any time.
 */
export class Lapses {
  readonly #node: NodeContext
  readonly #watch: NodeWatch
  readonly #worker: Lapsing
  /** Whether the lease has lapsed, and the decision is open. */
  #isOpen = false
  #begunAt = -Infinity
  /** Whether the lapse counts as a crash of the tasks: a body may have blocked the process. A suspended machine is not the fault of a body. */
  #isCrash = false

  constructor(parts: { readonly node: NodeContext; readonly watch: NodeWatch; readonly worker: Lapsing }) {
    this.#node = parts.node
    this.#watch = parts.watch
    this.#worker = parts.worker
  }

  /** Whether the running tasks may outlive a lapse of the lease at this moment. */
  get isHarmless(): boolean {
    const { hasStoodStill, wasSuspended } = this.#node.lease
    return this.#isOpen || ((hasStoodStill || wasSuspended) && this.#watch.isAlone)
  }

  /** The lease has lapsed. */
  begin(): void {
    this.#isOpen = this.isHarmless
    this.#begunAt = this.#node.clock.elapsed()
    this.#isCrash = this.#node.lease.hasStoodStill
    if (!this.#isOpen) return this.#stop()
    const { running } = this.#worker
    this.#node.logger.warn({ running }, 'lost the lease while this process stood still: its tasks go on if no other node is there')
  }

  /** The lease is renewed: looks whether another node is there. */
  async renewed(): Promise<void> {
    // The answer to a renewal that was sent before the process stood still may come only now.
    if (!this.#isOpen || this.#node.lease.state === 'lost') return
    const isRead = await this.#watch.refreshFromNow()
    if (!this.#isOpen) return
    this.#isOpen = false
    if (!isRead || !this.#watch.isAlone) return this.#stop()
    this.#node.logger.info({ running: this.#worker.running }, 'kept the running tasks: no other node was there to take them over')
  }

  renewalFailed(): void {
    const { clock, lease } = this.#node
    // A renewal that was under way when the process stood still fails at once; the next one tells.
    if (!this.#isOpen || clock.elapsed() - this.#begunAt < lease.settings.renewMs / retriesPerRenewal) return
    this.#isOpen = false
    this.#stop()
  }

  #stop(): void {
    this.#node.logger.error({ running: this.#worker.running }, 'lost the lease: this node stops its tasks and releases them')
    this.#worker.loseLease(this.#isCrash)
  }
}
