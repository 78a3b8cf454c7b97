import type {
  CallOptions,
  CancelSchedule,
  Clock,
  ConsumeOptions,
  Consumer,
  DeadLetter,
  Delivery,
  Logger,
  WorkMessage,
  WorkQueue,
  WorkQueueCapabilities,
} from '@taskledger/core/ports'
import { copyOf } from '../copy.ts'
import { Gate } from '../gate.ts'
import { NamedQueue } from './named-queue.ts'
import type { QueueConsumer } from './queue-consumer.ts'

/** The part of the work queue that all clients share. It owns the timers, so they outlast the client that released a message. */
export class QueuesByName {
  readonly #queues = new Map<string, NamedQueue>()
  readonly #clock: Clock
  readonly #logger: Logger

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock
    this.#logger = logger
  }

  get all(): readonly NamedQueue[] {
    return [...this.#queues.values()]
  }

  /** Calls back after that many milliseconds. */
  schedule(ms: number, callback: () => void): CancelSchedule {
    return this.#clock.schedule(ms, callback)
  }

  /** The queue of that name, created on first use. */
  get(name: string): NamedQueue {
    const known = this.#queues.get(name)
    if (known !== undefined) return known
    const queue = new NamedQueue({ name, clock: this.#clock, logger: this.#logger })
    this.#queues.set(name, queue)
    return queue
  }
}

/** One client of the work queue. */
export class MemoryWorkQueue implements WorkQueue {
  readonly capabilities: WorkQueueCapabilities = { durability: 'none', redeliveryWithinMs: 1_000, delayedRelease: true }
  readonly #gate = new Gate('the work queue')
  readonly #queues: QueuesByName
  readonly #consumers = new Set<QueueConsumer>()

  constructor(queues: QueuesByName) {
    this.#queues = queues
  }

  async send(queue: string, message: WorkMessage, options?: CallOptions): Promise<void> {
    this.#gate.pass(options?.signal)
    this.#queues.get(queue).messages.add({ body: copyOf(message), redelivered: false, releases: 0 })
  }

  async depth(queue: string, options?: CallOptions): Promise<number> {
    this.#gate.pass(options?.signal)
    return this.#queues.get(queue).messages.waiting
  }

  async consume(queue: string, handler: (delivery: Delivery) => Promise<void>, options: ConsumeOptions): Promise<Consumer> {
    this.#gate.pass(options.signal)
    const consumer = this.#queues.get(queue).join(handler, options)
    this.#consumers.add(consumer)
    return {
      resize: (slots) => consumer.resize(slots),
      close: async () => {
        await consumer.close()
        this.#consumers.delete(consumer)
      },
    }
  }

  async *deadLetters(queue: string, options?: CallOptions): AsyncGenerator<DeadLetter, void, undefined> {
    this.#gate.pass(options?.signal)
    for (const letter of this.#queues.get(queue).messages.deadLetters) {
      this.#gate.pass(options?.signal)
      yield letter
    }
  }

  // Running handlers may still settle their deliveries, which belong to the queue and not to this client.
  async close(): Promise<void> {
    this.#gate.shut()
    await Promise.all([...this.#consumers].map((consumer) => consumer.close()))
  }

  /**
   * Stands still as if the process of this client had been stopped, until the returned function is called. After `redeliveryWithinMs` its
   * messages go to other clients.
   */
  standStill(): () => void {
    const consumers = [...this.#consumers]
    for (const consumer of consumers) consumer.standStill()
    const cancel = this.#queues.schedule(this.capabilities.redeliveryWithinMs, () => {
      for (const consumer of consumers) consumer.loseAll()
    })
    return () => {
      cancel()
      for (const consumer of consumers) consumer.goOn()
    }
  }

  /** Ends as if the process of this client had been killed. */
  vanish(): void {
    this.#gate.shut()
    for (const consumer of this.#consumers) consumer.vanish()
  }
}
