import type { TaskId } from '../../domain/task-id.ts'
import type { TaskNotice } from '../../ports/event-bus.ts'
import { within } from '../../ports/shared/within.ts'
import type { ConsumeMode, Consumer, Delivery } from '../../ports/work-queue.ts'
import type { TaskRegistry } from '../../tasks/task-registry.ts'
import { Attempts } from './attempts.ts'
import { Claims } from './claims.ts'
import type { EventSourcing } from '../commands/event-sourcing.ts'
import type { NodeContext } from '../node/context.ts'
import { checkOptions } from '../../ports/shared/check-options.ts'
import { checkMs } from '../../ports/shared/checks.ts'
import { persist } from '../node/retrying.ts'
import type { Publisher } from '../commands/publisher.ts'
import type { Sender } from '../commands/sender.ts'
import type { WorkerSettings } from './settings.ts'

/** How long closing waits for the last events of tasks whose bodies have ended, in milliseconds. */
const settleMs = 5_000

/**
 * The status of a worker. `running`: it takes tasks. `paused`: it takes no tasks until it is resumed. `draining`: it takes no more
 * tasks, and waits for the running ones. `closed`: it has ended.
 */
export type TaskWorkerStatus = 'running' | 'paused' | 'draining' | 'closed'

/** The deliveries of one queue to this node. */
export interface QueueFlow {
  readonly queue: string
  /** The number of deliveries so far. */
  readonly taken: number
  readonly isFree: boolean
  readonly isSerial: boolean
}

/** What a worker is made of. */
export interface WorkerParts {
  readonly node: NodeContext
  readonly eventSourcing: EventSourcing
  readonly publisher: Publisher
  readonly sender: Sender
  readonly registry: TaskRegistry
  readonly settings: WorkerSettings
  /** Whether the running tasks may outlive a lapse of the lease at this moment. */
  readonly isLapseHarmless: () => boolean
}

/** Takes tasks from queues and runs them. A node has at most one worker. */
export class TaskWorker {
  readonly #node: NodeContext
  readonly #settings: WorkerSettings
  readonly #attempts: Attempts
  readonly #claims: Claims
  readonly #consumers = new Map<string, Consumer>()
  /** For each queue, when the latest delivered message was sent, by `clock.elapsed()`. */
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
    this.#claims = new Claims({
      ...parts,
      attempts: this.#attempts,
      isTaking: () => this.#isTaking,
      onClaimed: (delivery, queue) => this.#claimed(delivery, queue),
    })
  }

  get status(): TaskWorkerStatus {
    return this.#status
  }

  /** The tasks that run now. */
  get running(): readonly TaskId[] {
    return this.#attempts.running
  }

  /** For each queue, the number of slots: how many of its tasks run at once. */
  get slots(): Readonly<Record<string, number>> {
    return Object.fromEntries(Object.entries(this.#settings.queues).map(([queue, { slots }]) => [queue, slots]))
  }

  /**
   * For each queue, when the latest message was sent whose task was claimed, by the wall clock of this node.
   *
   * @internal
   */
  get delivered(): Readonly<Record<string, number>> {
    const { clock, nodeId, clocks } = this.#node
    const since = clocks.nowOn(nodeId) - clock.elapsed()
    return Object.fromEntries(Array.from(this.#delivered, ([queue, at]) => [queue, Math.floor(at + since)]))
  }

  /**
   * The deliveries of each queue.
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
   * Acts on a new state of the lease: unless it is held, the worker takes no more tasks.
   *
   * @internal
   */
  leaseChanged(): void {
    this.#resize()
  }

  /**
   * Aborts the running tasks: the lease is lost. `isCrash` says whether this process stood still.
   *
   * @internal
   */
  loseLease(isCrash: boolean): void {
    this.#attempts.loseLease(isCrash)
  }

  /**
   * Starts to take tasks.
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
      // Before `consume` answered, the worker may have been paused or closed, or its lease may have changed.
      if (this.#slotsFor(slots) !== taking) consumer.resize(this.#slotsFor(slots))
      if (this.#status === 'draining' || this.#status === 'closed') return
    }
  }

  /** Takes no more tasks until `resume`; the running ones go on. */
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

  /** Zero while the worker may not take tasks: with a doubtful lease it would claim tasks that it may have to release. */
  #slotsFor(slots: number): number {
    return this.#isTaking ? slots : 0
  }

  get #isTaking(): boolean {
    return this.#status === 'running' && this.#node.lease.state === 'held'
  }

  /** Takes no more tasks, and resolves when the running ones have ended. A drained worker cannot be resumed. */
  drain(): Promise<void> {
    if (this.#status !== 'closed') this.#status = 'draining'
    this.#drained ??= this.#drain()
    return this.#drained
  }

  /**
   * Drains. Tasks that still run after `drainMs` milliseconds are aborted with `SHUTTING_DOWN` and released, uncounted, for other nodes.
   * It resolves after `drainMs`, the grace period of the bodies and 5 seconds at the latest, also while the store is down. Closing twice is
   * fine.
   */
  async close(options: { readonly drainMs?: number | undefined } = {}): Promise<void> {
    const { drainMs = this.#settings.drainMs } = checkOptions('close', options, { drainMs: checkMs })
    this.#closed ??= this.#close(drainMs)
    await this.#closed
  }

  /**
   * Acts on a notice: reads a running task again after a cancel request, and after a write of another node.
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
   * Reads every running task again: notices may have been missed.
   *
   * @internal
   */
  lookAtAll(): void {
    this.#claims.missAll()
    this.#attempts.lookAtAll()
  }

  #handle(queue: string, mode: ConsumeMode, delivery: Delivery): Promise<void> {
    // A delivery may have been on its way when the worker stopped taking tasks.
    if (!this.#isTaking) return this.#track(this.#claims.decline(delivery, { queue, mode }))
    const flow = this.#flows.get(queue) ?? { taken: 0, busy: 0 }
    this.#flows.set(queue, flow)
    flow.taken++
    flow.busy++
    return this.#track(this.#claims.take(delivery, { queue, mode }).finally(() => flow.busy--))
  }

  /** Only a claim counts: other messages may be forged, and one that lies about its time would make the messages behind it look lost. */
  #claimed({ message: { sentAt, sentBy = '' } }: Delivery, queue: string): void {
    const { clock, clocks } = this.#node
    const at = clocks.elapsedAt(sentAt, sentBy)
    // The clock of a sender that is unknown here may be far ahead: its message must not make others look lost.
    if (at > clock.elapsed() && !clocks.knows(sentBy)) return
    this.#delivered.set(queue, Math.max(this.#delivered.get(queue) ?? -Infinity, Math.min(at, clock.elapsed())))
  }

  async #track(handled: Promise<unknown>): Promise<void> {
    this.#handling.add(handled)
    await handled.finally(() => this.#handling.delete(handled))
  }

  async #drain(): Promise<void> {
    // Wait for the end of the start; the caller of `start` gets its error.
    await this.#started.catch(() => {})
    const closed = Promise.allSettled([...this.#consumers.values()].map((consumer) => consumer.close()))
    // End the holds only now: a consumer that is not closing would receive its held messages again.
    // Do not wait for `closed` first: a closing consumer waits until its held messages are handled.
    this.#claims.endHolds()
    const closings = await closed
    for (const closing of closings)
      if (closing.status === 'rejected') this.#node.logger.warn({ err: closing.reason as unknown }, 'failed to close a consumer')
    // If the answer to `consume` was lost, the queue has a consumer that this worker does not know. Its deliveries have to end, too.
    while (this.#handling.size > 0) await Promise.all(this.#handling)
  }

  async #close(drainMs: number): Promise<void> {
    const { clock, logger } = this.#node
    const cancelAbort = clock.schedule(drainMs, () => this.#attempts.shutDown())
    const onTimeout = (): void =>
      logger.error({ running: this.running }, 'gave up settling tasks while closing: other nodes declare their attempts dead')
    try {
      await within(this.drain(), { timeoutMs: drainMs + this.#settings.cancelGraceMs + settleMs, onTimeout, clock })
    } finally {
      cancelAbort()
      this.#status = 'closed'
    }
  }
}
