import type { Consumer, ConsumeMode, Delivery, Logger, WorkMessage } from '@taskledger/core/ports'
import { MemoryDelivery } from './delivery.ts'
import type { QueuedMessage } from './queued-message.ts'
import type { StoredMessages } from './stored-messages.ts'

/** The delay of a message whose handler did not settle it, in milliseconds: a handler that always throws must not spin. */
const unsettledDelayMs = 100

/** What a consumer is made of. */
interface QueueConsumerParts {
  /** The name of the queue. */
  readonly queue: string
  readonly messages: StoredMessages
  readonly handler: (delivery: Delivery) => Promise<void>
  readonly slots: number
  readonly mode: ConsumeMode
  readonly logger: Logger
  onResized(): void
  /** A handler has ended, or its consumer has vanished. */
  onEnded(): void
  /** The consumer takes no more messages. */
  onLeft(): void
}

/** Takes messages of one queue. */
export class QueueConsumer implements Consumer {
  readonly #parts: QueueConsumerParts
  /** The deliveries whose handler runs, each with the end of its handler. */
  readonly #running = new Map<MemoryDelivery, Promise<void>>()
  /** Those among them whose messages went to other consumers. */
  readonly #lost = new Set<MemoryDelivery>()
  #slots: number
  #isClosing = false
  #isStill = false

  constructor(parts: QueueConsumerParts) {
    this.#parts = parts
    this.#slots = parts.slots
  }

  get mode(): ConsumeMode {
    return this.#parts.mode
  }

  get isFree(): boolean {
    return !this.#isStill && this.#running.size < this.#slots
  }

  take(queued: QueuedMessage, message: WorkMessage): void {
    const { messages, mode } = this.#parts
    const delivery = new MemoryDelivery({ messages, queued, message, mode })
    this.#running.set(delivery, this.#handle(delivery))
  }

  resize(slots: number): void {
    this.#slots = slots
    this.#parts.onResized()
  }

  async close(): Promise<void> {
    this.#isClosing = true
    this.#parts.onLeft()
    await Promise.all(this.#running.values())
  }

  /** Ends as if its process had been killed: unsettled messages go to other consumers, and running handlers change nothing any more. */
  vanish(): void {
    this.#parts.onLeft()
    for (const delivery of [...this.#running.keys()].reverse()) {
      delivery.lose()
      this.#end(delivery)
    }
  }

  /** Stands still, as with a stopped process: it takes no message until `goOn`. */
  standStill(): void {
    this.#isStill = true
  }

  goOn(): void {
    this.#isStill = false
    this.#parts.onResized()
  }

  /** It stood still for too long: unsettled messages go to other consumers. Handlers go on, keep their slots and change nothing any more. */
  loseAll(): void {
    for (const delivery of [...this.#running.keys()].reverse()) {
      if (this.#lost.has(delivery)) continue
      this.#lost.add(delivery)
      delivery.lose()
      this.#parts.onEnded()
    }
  }

  async #handle(delivery: MemoryDelivery): Promise<void> {
    const { handler, logger, queue } = this.#parts
    try {
      await handler(delivery)
    } catch (error) {
      logger.error({ err: error, queue }, 'a handler of the work queue threw')
    }
    // A closing consumer puts an unsettled message back to the head of the queue, where it came from.
    if (!this.#isClosing) await delivery.release({ delayMs: unsettledDelayMs })
    else if (!delivery.isSettled) delivery.lose()
    delivery.end()
    this.#end(delivery)
  }

  #end(delivery: MemoryDelivery): void {
    if (!this.#running.delete(delivery)) return
    if (this.#lost.delete(delivery)) this.#parts.onResized()
    else this.#parts.onEnded()
  }
}
