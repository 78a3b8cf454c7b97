import type { Delivery, ReleaseOptions, WorkMessage } from '@taskledger/core/ports'
import type { BrokerMessage } from './broker-message.ts'
import { releasesOf, wasReleased } from './death.ts'
import type { MessageSender } from './message-sender.ts'

/** What a delivery is made of. */
interface DeliveryParts {
  readonly message: WorkMessage
  readonly queue: string
  readonly brokerMessage: BrokerMessage
  readonly sender: MessageSender
  onSettled(): void
}

/** A message that a handler has. The handler settles it; `concludeAtBroker` then tells the broker, which may be much later. */
export class RabbitmqDelivery implements Delivery {
  readonly message: WorkMessage
  readonly redelivered: boolean
  readonly releases: number
  readonly #parts: DeliveryParts
  #settling: Promise<void> | undefined
  #isRequeued = false

  constructor(parts: DeliveryParts) {
    const { raw } = parts.brokerMessage
    const deliveries: unknown = raw.properties.headers?.['x-delivery-count']
    this.message = parts.message
    this.releases = releasesOf(raw)
    this.redelivered = raw.fields.redelivered || wasReleased(raw) || (typeof deliveries === 'number' && deliveries > 0)
    this.#parts = parts
  }

  accept(): Promise<void> {
    return (this.#settling ??= this.#settle(async () => {}))
  }

  release({ delayMs = 0, isCounted = true }: ReleaseOptions = {}): Promise<void> {
    const { sender, queue, brokerMessage } = this.#parts
    return (this.#settling ??= this.#settle(() => sender.release(queue, brokerMessage, { delayMs, isCounted })))
  }

  reject(why: string): Promise<void> {
    const { sender, queue, brokerMessage } = this.#parts
    return (this.#settling ??= this.#settle(() => sender.deadLetter(queue, brokerMessage, why)))
  }

  /** Puts an unsettled message back to the head of the queue, without counting a release. */
  requeue(): Promise<void> {
    return (this.#settling ??= this.#settle(async () => void (this.#isRequeued = true)))
  }

  /** Acknowledges the message, or requeues it if its copy could not be sent. Waits until it is settled. */
  async concludeAtBroker(): Promise<void> {
    await this.#settling
    if (this.#isRequeued) this.#parts.brokerMessage.requeue()
    else this.#parts.brokerMessage.acknowledge()
  }

  async #settle(sendCopy: () => Promise<void>): Promise<void> {
    const { queue, brokerMessage, sender, onSettled } = this.#parts
    try {
      if (brokerMessage.isOpen) await sendCopy()
    } catch (error) {
      // The message is not lost: the broker delivers it again, without counting the release.
      sender.logger.warn({ err: error, queue, taskId: this.message.taskId }, 'requeued a message: its copy could not be sent')
      this.#isRequeued = true
    }
    onSettled()
  }
}
