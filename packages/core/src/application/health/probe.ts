import type { TaskId } from '../../domain/task-id.ts'
import type { TaskNotice } from '../../ports/event-bus.ts'
import { HealthRecord } from './record.ts'
import type { NodeContext } from '../node/context.ts'
import type { AttachedWorker } from '../worker/attached-worker.ts'
import type { QueueFlow } from '../worker/worker.ts'

/** What a beat is about: no task has this id. */
const noTaskId = '00000000-0000-8000-8000-000000000000' as TaskId

/** Whether the notice is the beat of a node, and is about no task. Its version counts the beats. */
export const isProbe = ({ taskId }: TaskNotice): boolean => taskId === noTaskId

/** How a queue stood at the last beat. */
interface Stood {
  readonly taken: number
  /** Whether messages waited, while this node had a free slot. */
  readonly waited: boolean
}

/**
 * Finds out whether this node really works: at each renewal it reads from the store, tells itself something by the bus, and
 * looks whether its queues hand it what waits in them. A node that merely has connections proves nothing by them.
 */
export class Probe {
  readonly store: HealthRecord
  readonly bus: HealthRecord
  readonly consuming: HealthRecord
  readonly #node: NodeContext
  readonly #worker: AttachedWorker
  readonly #stood = new Map<string, Stood>()
  #sent = 0
  #heard = 0
  #running: Promise<void> | undefined

  constructor(parts: { readonly node: NodeContext; readonly worker: AttachedWorker }) {
    const { node } = parts
    this.#node = node
    this.#worker = parts.worker
    this.store = new HealthRecord(node.clock, 'it was not asked yet')
    this.bus = new HealthRecord(node.clock, 'nothing was heard yet')
    this.consuming = new HealthRecord(node.clock, 'it was not looked at yet')
  }

  /** Never rejects. One beat at a time. */
  run(): Promise<void> {
    this.#running ??= Promise.all([this.#askStore(), this.#tell(), this.#lookAtQueues()]).then(() => (this.#running = undefined))
    return this.#running
  }

  hear({ node, version }: TaskNotice): void {
    if (node !== this.#node.nodeId) return
    this.#heard = Math.max(this.#heard, version)
    if (this.#heard >= this.#sent) this.bus.good()
  }

  async #askStore(): Promise<void> {
    const { storage, deadlines } = this.#node
    try {
      await deadlines.call(undefined, (signal) => storage.events.read(noTaskId, { signal }))
      this.store.good()
    } catch (error) {
      this.store.bad('the event store does not answer', error)
    }
  }

  async #tell(): Promise<void> {
    const { messaging, deadlines, nodeId } = this.#node
    if (this.#heard < this.#sent) this.bus.bad('this node did not hear its own latest beat')
    const version = ++this.#sent
    try {
      const beat: TaskNotice = { taskId: noTaskId, version, type: 'TaskProgress', status: 'waiting', node: nodeId }
      await deadlines.call(undefined, (signal) => messaging.bus.publish([beat], { signal }))
    } catch (error) {
      this.bus.bad('the event bus does not take a notice', error)
    }
  }

  async #lookAtQueues(): Promise<void> {
    const worker = this.#worker.current
    if (worker === undefined || worker.status === 'closed') return
    if (worker.status !== 'running') return this.consuming.bad(`the worker is ${worker.status}`)
    if (this.#node.lease.state !== 'held') return this.consuming.bad('the lease is not held, so no tasks are taken')
    try {
      for (const flow of worker.flows) {
        const why = await this.#standstillOf(flow)
        if (why !== undefined) return this.consuming.bad(why)
      }
      this.consuming.good()
    } catch (error) {
      this.consuming.bad('the work queue does not answer', error)
    }
  }

  /** Why nothing flows, if nothing does: something waits, here is a free slot, and it was so at the last beat. */
  async #standstillOf({ queue, taken, isFree, isSerial }: QueueFlow): Promise<string | undefined> {
    const { messaging, deadlines } = this.#node
    const before = this.#stood.get(queue)
    // What was handed over since proves that the queue works, and where there is no room nothing can be.
    const isProven = before !== undefined && taken > before.taken
    const depth = isProven || !isFree ? 0 : await deadlines.call(undefined, (signal) => messaging.queue.depth(queue, { signal }))
    this.#stood.set(queue, { taken, waited: depth > 0 })
    // Of a serial queue another node may have its turn.
    if (isSerial || depth === 0 || before?.waited !== true) return undefined
    return `queue ${queue} has ${depth} waiting, and this node, which has a free slot, is handed nothing`
  }
}
