import type { TaskId } from '../../domain/task-id.ts'
import type { TaskNotice } from '../../ports/event-bus.ts'
import { HealthRecord } from './record.ts'
import type { NodeContext } from '../node/context.ts'
import type { AttachedWorker } from '../worker/attached-worker.ts'
import type { QueueFlow } from '../worker/worker.ts'

/** The task id in the notice of a probe: no task has it. */
const noTaskId = '00000000-0000-8000-8000-000000000000' as TaskId

/** Whether a notice is the probe of a node, and not about a task. Its version counts the probes. */
export const isProbe = ({ taskId }: TaskNotice): boolean => taskId === noTaskId

/** A queue at the last probe. */
interface QueueState {
  /** The number of deliveries to this node. */
  readonly taken: number
  /** Whether messages waited while this node had a free slot. */
  readonly waited: boolean
}

/**
 * Probes whether this node works, after each renewal: it reads from the store, sends itself a notice by the bus, and checks whether its
 * queues deliver the waiting messages. An open connection alone proves none of these.
 */
export class Probe {
  readonly store: HealthRecord
  readonly bus: HealthRecord
  readonly consuming: HealthRecord
  readonly #node: NodeContext
  readonly #worker: AttachedWorker
  readonly #queues = new Map<string, QueueState>()
  #sent = 0
  #heard = 0
  #running: Promise<void> | undefined

  constructor(parts: { readonly node: NodeContext; readonly worker: AttachedWorker }) {
    const { node } = parts
    this.#node = node
    this.#worker = parts.worker
    this.store = new HealthRecord(node.clock, 'not probed yet')
    this.bus = new HealthRecord(node.clock, 'not probed yet')
    this.consuming = new HealthRecord(node.clock, 'not probed yet')
  }

  /** Probes once, or joins the probe under way. Never rejects. */
  run(): Promise<void> {
    this.#running ??= Promise.all([this.#probeStore(), this.#probeBus(), this.#probeQueues()]).then(() => (this.#running = undefined))
    return this.#running
  }

  hear({ node, version }: TaskNotice): void {
    if (node !== this.#node.nodeId) return
    this.#heard = Math.max(this.#heard, version)
    if (this.#heard >= this.#sent) this.bus.good()
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

  async #probeBus(): Promise<void> {
    const { messaging, deadlines, nodeId } = this.#node
    if (this.#heard < this.#sent) this.bus.bad('this node did not receive its own latest probe')
    const version = ++this.#sent
    try {
      const probe: TaskNotice = { taskId: noTaskId, version, type: 'TaskProgress', status: 'waiting', node: nodeId }
      await deadlines.call(undefined, (signal) => messaging.bus.publish([probe], { signal }))
    } catch (error) {
      this.bus.bad('the event bus did not accept a notice', error)
    }
  }

  async #probeQueues(): Promise<void> {
    const worker = this.#worker.current
    if (worker === undefined || worker.status === 'closed') return
    if (worker.status !== 'running') return this.consuming.bad(`the worker is ${worker.status}`)
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
