import { decodeMessage } from '@taskledger/core/codec'
import type { Clock, ConsumeOptions, Delivery, Logger, WorkMessage } from '@taskledger/core/ports'
import { copyOf } from '../copy.ts'
import type { QueuedMessage } from './queued-message.ts'
import { QueueConsumer } from './queue-consumer.ts'
import { StoredMessages } from './stored-messages.ts'

/** How many messages are handed out before timers, sockets and signals get a turn of the event loop. */
const maxPerTurn = 1_000

/** One queue: hands its messages to its consumers. */
export class NamedQueue {
  readonly name: string
  readonly messages: StoredMessages
  readonly #clock: Clock
  readonly #logger: Logger
  /** A consumer that takes a message goes to the end, so that all consumers share the load. */
  readonly #consumers: QueueConsumer[] = []
  #running = 0
  #isDispatchScheduled = false
  #handedOut = 0

  constructor({ name, clock, logger }: { readonly name: string; readonly clock: Clock; readonly logger: Logger }) {
    this.name = name
    this.#clock = clock
    this.#logger = logger
    this.messages = new StoredMessages(clock, () => this.#scheduleDispatch())
  }

  get counts(): StoredMessages['counts'] & { readonly running: number } {
    return { ...this.messages.counts, running: this.#running }
  }

  join(handler: (delivery: Delivery) => Promise<void>, { slots, mode }: ConsumeOptions): QueueConsumer {
    const consumer: QueueConsumer = new QueueConsumer({
      queue: this.name,
      messages: this.messages,
      handler,
      slots,
      mode,
      logger: this.#logger,
      onResized: () => this.#scheduleDispatch(),
      onEnded: () => {
        this.#running--
        this.#scheduleDispatch()
      },
      onLeft: () => this.#leave(consumer),
    })
    this.#consumers.push(consumer)
    this.messages.startTimers()
    this.#scheduleDispatch()
    return consumer
  }

  #leave(consumer: QueueConsumer): void {
    const index = this.#consumers.indexOf(consumer)
    if (index >= 0) this.#consumers.splice(index, 1)
    if (this.#consumers.length === 0) this.messages.stopTimers()
    // The consumer that left may have been the serial one.
    this.#scheduleDispatch()
  }

  /** Hands messages out soon, not now: a handler must not run inside the call of the sender. */
  #scheduleDispatch(): void {
    if (this.#isDispatchScheduled) return
    this.#isDispatchScheduled = true
    queueMicrotask(() => this.#dispatch())
  }

  #dispatch(): void {
    this.#isDispatchScheduled = false
    while (this.messages.waiting > 0) {
      const consumer = this.#nextFree()
      if (consumer === undefined) return
      if (this.#handedOut === maxPerTurn) return this.#yield()
      const message = this.messages.take()
      if (message === undefined) return
      this.#handedOut++
      this.#handTo(consumer, message)
    }
  }

  /** Everything in memory runs in microtasks, which come before timers and I/O: a long queue would block both. */
  #yield(): void {
    this.#handedOut = 0
    this.#isDispatchScheduled = true
    this.#clock.schedule(0, () => this.#dispatch())
  }

  #handTo(consumer: QueueConsumer, queued: QueuedMessage): void {
    let message: WorkMessage
    try {
      message = typeof queued.body === 'string' ? decodeMessage(queued.body) : copyOf(queued.body)
    } catch (error) {
      this.#logger.warn({ err: error, queue: this.name }, 'dead-lettered a message that cannot be decoded')
      return this.messages.deadLetter(queued, error instanceof Error ? error.message : String(error))
    }
    this.#running++
    consumer.take(queued, message)
  }

  /** One serial consumer makes the queue serial for all of its consumers. */
  #nextFree(): QueueConsumer | undefined {
    if (this.#running > 0 && this.#consumers.some((consumer) => consumer.mode === 'serial')) return undefined
    const index = this.#consumers.findIndex((consumer) => consumer.isFree)
    const [consumer] = index < 0 ? [] : this.#consumers.splice(index, 1)
    if (consumer !== undefined) this.#consumers.push(consumer)
    return consumer
  }
}
