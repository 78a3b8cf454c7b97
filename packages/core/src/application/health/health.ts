import type { NodeContext } from '../node/context.ts'
import type { ApartNode, Peers } from '../membership/peers.ts'
import type { AttachedWorker } from '../worker/attached-worker.ts'
import type { Probe } from './probe.ts'
import type { HealthCheck } from './record.ts'
import { HealthRecord } from './record.ts'

/** The health of one node. Each check fails until it has succeeded once. */
export interface NodeHealth {
  /** Whether every check is ok. */
  readonly ok: boolean
  /** This node is open: it is neither closed nor closing. */
  readonly open: HealthCheck
  /** This node holds its lease, so other nodes count it as alive. */
  readonly lease: HealthCheck
  /** The event store answers. */
  readonly store: HealthCheck
  /** The event bus works: this node received its own latest probe. */
  readonly bus: HealthCheck
  /**
   * This node shares storage and messaging with most of the live nodes, itself included. If it does not, the others are more likely to be
   * right; of two nodes that are apart, neither is ok.
   */
  readonly peers: HealthCheck
  /** The worker is running and receives the messages that wait in its queues; absent on a front-end. */
  readonly consuming?: HealthCheck
  /** The queues accepted the latest messages of this node; absent until it has sent one. */
  readonly sending?: HealthCheck
  /**
   * The live nodes that share only storage or only messaging with this node: they, or this node, have wrong settings. They do not see one
   * another's notices, or one another's tasks.
   */
  readonly apart: readonly ApartNode[]
  /** The number of unfinished tasks whose rows or histories the janitor of this node could not read. */
  readonly unreadable: number
  /**
   * How far the wall clock of this node is at least ahead of the median of the other live nodes, in milliseconds; negative if it is behind. A
   * difference of less than one renewal may count as 0. Absent until another node has renewed its lease twice.
   */
  readonly clockOffsetMs?: number
}

/** Collects the checks of this node. */
export class Health {
  readonly #node: NodeContext
  readonly #probe: Probe
  readonly #worker: AttachedWorker
  readonly #peers: Peers
  readonly #unreadable: { readonly count: number }
  readonly #open: HealthRecord
  readonly #clockCheck: { readonly offsetMs: number | undefined }
  readonly #lease: HealthRecord
  readonly #together: HealthRecord
  readonly #sending: HealthRecord
  /** The queues whose latest message was not accepted, each with the error. */
  readonly #refusing = new Map<string, unknown>()
  #hasSent = false
  #closing: 'closing' | 'closed' | undefined

  constructor(parts: {
    readonly node: NodeContext
    readonly probe: Probe
    readonly worker: AttachedWorker
    readonly peers: Peers
    readonly unreadable: { readonly count: number }
    readonly clockCheck: { readonly offsetMs: number | undefined }
  }) {
    this.#node = parts.node
    this.#probe = parts.probe
    this.#worker = parts.worker
    this.#peers = parts.peers
    this.#unreadable = parts.unreadable
    this.#clockCheck = parts.clockCheck
    const { clock } = parts.node
    this.#open = new HealthRecord(clock, '')
    this.#open.good()
    this.#lease = new HealthRecord(clock, 'the node has not joined yet')
    this.#together = new HealthRecord(clock, 'not probed yet')
    this.#sending = new HealthRecord(clock, 'no message was sent yet')
  }

  /** Records the state of the lease now; `error` says why a renewal failed. */
  checkLease(error?: unknown): void {
    if (this.#closing === 'closed') return this.#lease.bad('this node is closed')
    const { state } = this.#node.lease
    if (state === 'held') this.#lease.good()
    else this.#lease.bad(`the lease is ${state}: this node could not renew it`, error)
  }

  /** Records whether this node shares storage and messaging with most nodes now. */
  checkPeers(): void {
    const { apart, isCompared, isWithMost } = this.#peers
    if (!isCompared) return
    if (isWithMost) this.#together.good()
    else this.#together.bad(`this node does not share storage and messaging with ${apart.map(({ nodeId }) => nodeId).join(', ')}`)
  }

  /** Records whether a queue accepted a message. */
  noteSend(queue: string, error?: unknown): void {
    this.#hasSent = true
    if (error === undefined) this.#refusing.delete(queue)
    else this.#refusing.set(queue, error)
    const [refusing] = this.#refusing
    if (refusing === undefined) this.#sending.good()
    else this.#sending.bad(`queue ${refusing[0]} did not accept a message: the node sends it again`, refusing[1])
  }

  /** Records that this node closes, or has closed. */
  noteClosing(closing: 'closing' | 'closed'): void {
    this.#closing = closing
    this.#open.bad(`this node is ${closing}`)
  }

  report(): NodeHealth {
    // After a freeze of the process, the lease may have expired although no timer has run yet.
    this.checkLease()
    this.#probe.checkWorker()
    const { store, bus, consuming } = this.#probe
    const checks = {
      open: this.#open.latest,
      lease: this.#lease.latest,
      store: store.latest,
      bus: bus.latest,
      peers: this.#together.latest,
      ...(this.#worker.current === undefined ? {} : { consuming: consuming.latest }),
      ...(this.#hasSent ? { sending: this.#sending.latest } : {}),
    }
    const ok = Object.values(checks).every((check) => check.ok)
    const { offsetMs } = this.#clockCheck
    const clock = offsetMs === undefined ? {} : { clockOffsetMs: offsetMs }
    return { ok, ...checks, apart: this.#peers.apart, unreadable: this.#unreadable.count, ...clock }
  }
}
