import type { Beat } from '../membership/beat.ts'
import { noticeOf, noTaskId } from '../membership/beat.ts'
import type { Peers } from '../membership/peers.ts'
import { HealthRecord } from './record.ts'
import type { NodeContext } from '../node/context.ts'
import type { AttachedWorker } from '../worker/attached-worker.ts'
import type { QueueFlow } from '../worker/worker.ts'

/** A queue at the last probe. */
interface QueueState {
  /** The number of deliveries to this node. */
  readonly taken: number
  /** Whether messages waited while this node had a free slot. */
  readonly waited: boolean
}

/**
 * Probes whether this node works, after each renewal: it reads from the store, publishes a beat that it has to receive itself, and checks
 * whether its queues deliver the waiting messages. An open connection alone proves none of these.
 */
export class Probe {
  readonly store: HealthRecord
  readonly bus: HealthRecord
  readonly consuming: HealthRecord
  readonly #node: NodeContext
  readonly #worker: AttachedWorker
  readonly #queues = new Map<string, QueueState>()
  readonly #peers: Peers
  /** The number of the latest beat, and when it was sent, by `clock.elapsed()`. */
  #sent = 0
  #sentAt = 0
  #received = 0
  /** The number of the beat of the latest probe. */
  #probed = 0
  /** The latest beat that came back before the next renewal began. */
  #shown = 0
  /** The beat that followed the latest renewal, until it comes back or the next renewal begins. */
  #expected: number | undefined
  #probingStore: Promise<void> | undefined
  #probingQueues: Promise<void> | undefined

  constructor(parts: { readonly node: NodeContext; readonly worker: AttachedWorker; readonly peers: Peers }) {
    const { node } = parts
    this.#node = node
    this.#peers = parts.peers
    this.#worker = parts.worker
    this.store = new HealthRecord(node.clock, 'not probed yet')
    this.bus = new HealthRecord(node.clock, 'not probed yet')
    this.consuming = new HealthRecord(node.clock, 'not probed yet')
  }

  /**
   * Returns the number of the beat that a renewal shows, which begins now: the latest that followed a renewal and came back before the next
   * one. So no later beat was sent before this renewal, except the one that is forgotten here. After a lapse of the lease no beat is shown
   * that was sent before it.
   */
  show(): number {
    this.#expected = undefined
    if (this.#node.lease.state === 'lost') this.#shown = 0
    return this.#shown
  }

  /** Probes once. A probe of the store or the queues that is still under way is not repeated. Never rejects. */
  async run({ isRenewed }: { readonly isRenewed: boolean }): Promise<void> {
    const store = (this.#probingStore ??= this.#probeStore().finally(() => (this.#probingStore = undefined)))
    // Each renewal has its beat: other nodes expect one, also while the store hangs.
    const bus = this.#probeBus(isRenewed)
    const queues = (this.#probingQueues ??= this.#probeQueues().finally(() => (this.#probingQueues = undefined)))
    await Promise.all([store, bus, queues])
  }

  /** Publishes a beat after an early renewal, unless the beat before is still on its way. Never rejects. */
  async sendEarlyBeat({ isRenewed }: { readonly isRenewed: boolean }): Promise<void> {
    if (this.#received === this.#sent) await this.sendBeat(isRenewed)
  }

  /** Publishes a beat. Never rejects. */
  async sendBeat(isRenewed: boolean): Promise<void> {
    const { messaging, deadlines, nodeId, clock } = this.#node
    this.#sentAt = clock.elapsed()
    const beat = noticeOf({ node: nodeId, number: ++this.#sent, isRenewed })
    if (isRenewed) this.#expected = this.#sent
    try {
      await deadlines.call(undefined, (signal) => messaging.bus.publish([beat], { signal }))
    } catch (error) {
      this.bus.bad('the event bus did not accept a notice', error)
    }
  }

  /** Takes a beat of this node. */
  receive({ number }: Beat): void {
    // Somebody else may publish a beat in the name of this node, which would hide that its own do not arrive.
    if (number <= this.#received || number > this.#sent) return
    if (number > this.#received + 1) this.#peers.missed()
    this.#received = number
    if (number === this.#expected) this.#shown = number
    if (number < this.#sent) return
    this.bus.good()
    this.#peers.receivedOwn(this.#sentAt)
  }

  /** Compares the latest check of the queues with the status of the worker now. */
  checkWorker(): void {
    const status = this.#worker.current?.status
    if (status === undefined) return
    if (status !== 'running') this.consuming.bad(`the worker is ${status}`)
    else if (this.consuming.latest.why?.startsWith('the worker is ')) this.consuming.bad('not probed yet')
  }

  async #probeStore(): Promise<void> {
    const { storage, deadlines } = this.#node
    try {
      await deadlines.call(undefined, (signal) => storage.events.read(noTaskId, { signal }))
      this.store.good()
    } catch (error) {
      this.store.bad('the event store did not answer', error)
    }
  }

  async #probeBus(isRenewed: boolean): Promise<void> {
    // A beat between two probes may have been sent just now.
    if (this.#received < this.#probed) {
      this.bus.bad('this node did not receive its own latest probe')
      this.#peers.missed()
    }
    this.#probed = this.#sent + 1
    await this.sendBeat(isRenewed)
  }

  async #probeQueues(): Promise<void> {
    const worker = this.#worker.current
    if (worker === undefined) return
    if (worker.status !== 'running') return this.checkWorker()
    if (this.#node.lease.state !== 'held') return this.consuming.bad('the lease is not held, so the worker takes no tasks')
    try {
      for (const flow of worker.flows) {
        const why = await this.#standstillOf(flow)
        if (why !== undefined) return this.consuming.bad(why)
      }
      this.consuming.good()
    } catch (error) {
      this.consuming.bad('the work queue did not answer', error)
    }
  }

  /** Why a queue stands still, or `undefined`: messages waited while this node had a free slot, now and at the last probe. */
  async #standstillOf({ queue, taken, isFree, isSerial }: QueueFlow): Promise<string | undefined> {
    const { messaging, deadlines } = this.#node
    const before = this.#queues.get(queue)
    // A delivery since the last probe proves that the queue works; without a free slot no delivery can come.
    const isProven = before !== undefined && taken > before.taken
    const depth = isProven || !isFree ? 0 : await deadlines.call(undefined, (signal) => messaging.queue.depth(queue, { signal }))
    this.#queues.set(queue, { taken, waited: depth > 0 })
    // A serial queue may be delivering to another node.
    if (isSerial || depth === 0 || before?.waited !== true) return undefined
    return `queue ${queue} has ${depth} waiting messages and delivers none to this node, which has a free slot`
  }
}
