import type { Delivery, WorkMessage } from '@taskledger/core/ports'
import type { BrokerMessage } from './broker-message.ts'
import type { MessageSender } from './message-sender.ts'
import { releasesOf } from './message-sender.ts'

/** A message in the hands of a handler. Settling it decides what becomes of it; the broker is told later, by whom owns it. */
export class RabbitmqDelivery implements Delivery {
  readonly message: WorkMessage
  readonly redelivered: boolean
  readonly releases: number
  readonly #queue: string
  readonly #brokerMessage: BrokerMessage
  readonly #sender: MessageSender
  readonly #onSettled: () => void
  #settling: Promise<void> | undefined
  #putsBack = false

  constructor(message: WorkMessage, queue: string, brokerMessage: BrokerMessage, sender: MessageSender, onSettled: () => void) {
    const { fields, properties } = brokerMessage.raw
    const deliveries: unknown = properties.headers?.['x-delivery-count']
    this.message = message
    this.releases = releasesOf(brokerMessage.raw)
    this.redelivered = fields.redelivered || this.releases > 0 || (typeof deliveries === 'number' && deliveries > 0)
    this.#queue = queue
    this.#brokerMessage = brokerMessage
    this.#sender = sender
    this.#onSettled = onSettled
  }

  accept(): Promise<void> {
    return (this.#settling ??= this.#settle(async () => {}))
  }

  release({ delayMs = 0 }: { readonly delayMs?: number } = {}): Promise<void> {
    return (this.#settling ??= this.#settle(() => this.#sender.release(this.#queue, this.#brokerMessage.raw, delayMs)))
  }

  reject(why: string): Promise<void> {
    return (this.#settling ??= this.#settle(() => this.#sender.bury(this.#queue, this.#brokerMessage.raw, why)))
  }

  /** Tells the broker what was decided, once that can be told. */
  async conclude(): Promise<void> {
    await this.#settling
    if (this.#putsBack) this.#brokerMessage.putBack()
    else this.#brokerMessage.acknowledge()
  }

  async #settle(copy: () => Promise<void>): Promise<void> {
    try {
      if (this.#brokerMessage.isOpen) await copy()
    } catch (error) {
      // It is not lost: the broker still has it, and hands it to somebody, though without counting the release.
      this.#sender.logger.warn(
        { err: error, queue: this.#queue, taskId: this.message.taskId },
        'a message could not be moved: it goes back into its queue',
      )
      this.#putsBack = true
    }
    this.#onSettled()
  }
}
