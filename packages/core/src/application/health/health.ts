import type { NodeContext } from '../node/context.ts'
import type { AttachedWorker } from '../worker/attached-worker.ts'
import type { Probe } from './probe.ts'
import type { HealthCheck } from './record.ts'
import { HealthRecord } from './record.ts'

/** The health of one node. Each check fails until it has succeeded once. */
export interface NodeHealth {
  /** Whether every check is ok. */
  readonly ok: boolean
  /** This node holds its lease, so other nodes count it as alive. */
  readonly lease: HealthCheck
  /** The event store answers. */
  readonly store: HealthCheck
  /** The event bus works: this node received its own latest probe. */
  readonly bus: HealthCheck
  /** The worker receives the messages that wait in its queues; absent on a front-end. */
  readonly consuming?: HealthCheck
  /** The number of unfinished tasks whose rows or histories the janitor of this node could not read. */
  readonly unreadable: number
}

/** Collects the checks of this node. */
export class Health {
  readonly #node: NodeContext
  readonly #probe: Probe
  readonly #worker: AttachedWorker
  readonly #unreadable: { readonly count: number }
  readonly #lease: HealthRecord

  constructor(parts: {
    readonly node: NodeContext
    readonly probe: Probe
    readonly worker: AttachedWorker
    readonly unreadable: { readonly count: number }
  }) {
    this.#node = parts.node
    this.#probe = parts.probe
    this.#worker = parts.worker
    this.#unreadable = parts.unreadable
    this.#lease = new HealthRecord(parts.node.clock, 'the node has not joined yet')
  }

  /** Records the state of the lease now; `error` says why a renewal failed. */
  checkLease(error?: unknown): void {
    const { state } = this.#node.lease
    if (state === 'held') this.#lease.good()
    else this.#lease.bad(`the lease is ${state}: this node could not renew it`, error)
  }

  report(): NodeHealth {
    // After a freeze of the process, the lease may have expired although no timer has run yet.
    this.checkLease()
    const { store, bus, consuming } = this.#probe
    const checks = { lease: this.#lease.latest, store: store.latest, bus: bus.latest }
    const all = this.#worker.isOpen ? { ...checks, consuming: consuming.latest } : checks
    return { ok: Object.values(all).every(({ ok }) => ok), ...all, unreadable: this.#unreadable.count }
  }
}
