import type { TaskId } from '../../domain/task-id.ts'
import type { TaskNotice } from '../../ports/event-bus.ts'
import type { ConsumeMode, Consumer, Delivery } from '../../ports/work-queue.ts'
import type { TaskRegistry } from '../../tasks/task-registry.ts'
import { Attempts } from './attempts.ts'
import { Claims } from './claims.ts'
import type { EventSourcing } from '../commands/event-sourcing.ts'
import type { LeaseState } from '../node/lease.ts'
import type { NodeContext } from '../node/context.ts'
import { checkMs } from '../../ports/checks.ts'
import { persist } from '../node/retrying.ts'
import type { Publisher } from '../commands/publisher.ts'
import type { Sender } from '../commands/sender.ts'
import type { WorkerSettings } from './settings.ts'

/** How long closing waits for the last events of tasks whose bodies have ended or were abandoned, in milliseconds. */
const settleMs = 5_000

/** What a worker does: it takes tasks, takes none for now, takes none any more, or is gone. */
export type TaskWorkerStatus = 'running' | 'paused' | 'draining' | 'closed'

/**
 * What a queue has handed to this node.
 *
 * @internal
 */
export interface QueueFlow {
  readonly queue: string
  /** How many deliveries so far. */
  readonly taken: number
  readonly isFree: boolean
  readonly isSerial: boolean
}

/**
 * What a worker is made of.
 *
 * @internal
 */
export interface WorkerParts {
  readonly node: NodeContext
  readonly eventSourcing: EventSourcing
  readonly publisher: Publisher
  readonly sender: Sender
  readonly registry: TaskRegistry
  readonly settings: WorkerSettings
}

/** Takes tasks from queues and runs them. A node has at most one. */
export class TaskWorker {
  readonly #node: NodeContext
  readonly #settings: WorkerSettings
  readonly #attempts: Attempts
  readonly #claims: Claims
  readonly #consumers = new Map<string, Consumer>()
  readonly #delivered = new Map<string, number>()
  /** For each queue, how many deliveries there were, and how many are being handled. */
  readonly #flows = new Map<string, { taken: number; busy: number }>()
  readonly #handling = new Set<Promise<unknown>>()
  #status: TaskWorkerStatus = 'running'
  #started: Promise<void> = Promise.resolve()
  #drained: Promise<void> | undefined
  #closed: Promise<void> | undefined

  /** @internal */
  constructor(parts: WorkerParts) {
    this.#node = parts.node
    this.#settings = parts.settings
    this.#attempts = new Attempts(parts)
    this.#claims = new Claims({ ...parts, attempts: this.#attempts, isTaking: () => this.#isTaking })
  }

  get status(): TaskWorkerStatus {
    return this.#status
  }

  /** The tasks that it runs. */
  get running(): readonly TaskId[] {
    return this.#attempts.running
  }

  /** For each queue, how many tasks it runs at a time. */
  get slots(): Readonly<Record<string, number>> {
    return Object.fromEntries(Object.entries(this.#settings.queues).map(([queue, { slots }]) => [queue, slots]))
  }

  /**
   * For each queue, the newest time of sending that was delivered to it.
   *
   * @internal
   */
  get delivered(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#delivered)
  }

  /**
   * What its queues have handed over.
   *
   * @internal
   */
  get flows(): readonly QueueFlow[] {
    return Object.entries(this.#settings.queues).map(([queue, { slots, mode }]) => {
      const { taken = 0, busy = 0 } = this.#flows.get(queue) ?? {}
      return { queue, taken, isFree: busy < (mode === 'serial' ? 1 : slots), isSerial: mode === 'serial' }
    })
  }

  /**
   * The lease of the node is another: without one it takes no more tasks, and those that run are stopped where others may
   * think them dead.
   *
   * @internal
   */
  leaseChanged(state: LeaseState): void {
    this.#resize()
    if (state === 'lost') this.#attempts.loseLease()
  }

  /**
   * Begins to take tasks.
   *
   * @internal
   */
  async start(): Promise<void> {
    this.#started = this.#start()
    try {
      await this.#started
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async #start(): Promise<void> {
    for (const [queue, { slots, mode = 'parallel' }] of Object.entries(this.#settings.queues)) {
      const handle = (delivery: Delivery): Promise<void> => this.#handle(queue, mode, delivery)
      const taking = this.#slotsFor(slots)
      const consume = (signal: AbortSignal): Promise<Consumer> =>
        this.#node.messaging.queue.consume(queue, handle, { slots: taking, mode, signal })
      const consumer = await persist(this.#node, { forMs: this.#node.commandTimeoutMs }, consume)
      this.#consumers.set(queue, consumer)
      // The worker may have been paused or closed meanwhile, or the lease lost or regained.
      if (this.#slotsFor(slots) !== taking) consumer.resize(this.#slotsFor(slots))
      if (this.#status === 'draining' || this.#status === 'closed') return
    }
  }

  /** Takes no more tasks until it is resumed; what runs goes on. */
  pause(): void {
    if (this.#status !== 'running') return
    this.#status = 'paused'
    this.#resize()
  }

  /** Takes tasks again. */
  resume(): void {
    if (this.#status !== 'paused') return
    this.#status = 'running'
    this.#resize()
  }

  #resize(): void {
    for (const [queue, consumer] of this.#consumers) consumer.resize(this.#slotsFor(this.#settings.queues[queue]?.slots ?? 0))
  }

  /** None where nothing may be taken: a node whose lease is in doubt claims nothing that it might have to give back. */
  #slotsFor(slots: number): number {
    return this.#isTaking ? slots : 0
  }

  get #isTaking(): boolean {
    return this.#status === 'running' && this.#node.lease.state === 'held'
  }

  /** Takes no more tasks, for good, and resolves when those that run have ended. */
  drain(): Promise<void> {
    if (this.#status !== 'closed') this.#status = 'draining'
    this.#drained ??= this.#drain()
    return this.#drained
  }

  /**
   * Drains. Tasks that still run after `drainMs` milliseconds are aborted with `SHUTTING_DOWN` and handed back, uncounted,
   * for other nodes to run. Takes no longer than that, the grace of the bodies and 5 seconds, even while the store is down.
   * Closing twice is fine.
   */
  async close(options: { readonly drainMs?: number } = {}): Promise<void> {
    const drainMs = checkMs('drainMs', options.drainMs ?? this.#settings.drainMs)
    this.#closed ??= this.#close(drainMs)
    await this.#closed
  }

  /**
   * Something happened to a task somewhere: one that runs here has to be looked up again where somebody wishes it to stop, or
   * another node has written to its history.
   *
   * @internal
   */
  hear(notice: TaskNotice): void {
    this.#claims.hear(notice)
    const { type, taskId, version, node } = notice
    const isForeign = node !== this.#node.nodeId && type !== 'TaskProgress'
    if (isForeign || type === 'TaskCancelRequested') this.#attempts.hear(taskId, version)
  }

  /**
   * Notices may have been missed: every task that runs here is looked up again.
   *
   * @internal
   */
  lookAtAll(): void {
    this.#claims.missAll()
    this.#attempts.lookAtAll()
  }

  #handle(queue: string, mode: ConsumeMode, delivery: Delivery): Promise<void> {
    // A delivery may have been on its way when the worker stopped taking any.
    if (!this.#isTaking) return this.#track(this.#claims.decline(delivery, mode))
    this.#delivered.set(queue, Math.max(this.#delivered.get(queue) ?? 0, delivery.message.sentAt))
    const flow = this.#flows.get(queue) ?? { taken: 0, busy: 0 }
    this.#flows.set(queue, flow)
    flow.taken++
    flow.busy++
    return this.#track(this.#claims.take(delivery, mode).finally(() => flow.busy--))
  }

  async #track(handled: Promise<unknown>): Promise<void> {
    this.#handling.add(handled)
    await handled.finally(() => this.#handling.delete(handled))
  }

  async #drain(): Promise<void> {
    // Whether it succeeded is for whoever started the worker: here it has only to be over.
    await this.#started.catch(() => {})
    const closed = Promise.allSettled([...this.#consumers.values()].map((consumer) => consumer.close()))
    // After the consumers began to close, or they would be given it again; before they have, since they wait for it.
    this.#claims.endHolds()
    const closings = await closed
    for (const closing of closings)
      if (closing.status === 'rejected')
        this.#node.logger.warn({ err: closing.reason as unknown }, 'a consumer could not be closed in order')
    // A queue whose answer to `consume` was lost has a consumer that nobody knows: what it handed over has to end too.
    while (this.#handling.size > 0) await Promise.all(this.#handling)
  }

  async #close(drainMs: number): Promise<void> {
    const { clock, logger } = this.#node
    const cancelAbort = clock.schedule(drainMs, () => this.#attempts.shutDown())
    const over = new AbortController()
    const tooLong = clock.sleep(drainMs + this.#settings.cancelGraceMs + settleMs, over.signal).then(
      () =>
        logger.error({ running: this.running }, 'what ran could not be settled while the worker was closed; its death will be declared'),
      () => {},
    )
    try {
      await Promise.race([this.drain(), tooLong])
    } finally {
      cancelAbort()
      over.abort()
      this.#status = 'closed'
    }
  }
}
