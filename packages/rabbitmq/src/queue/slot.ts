import type { Channel, ConsumeMessage } from 'amqplib'
import { decodeMessage } from '@taskledger/core/codec'
import type { Delivery, WorkMessage } from '@taskledger/core/ports'
import { BrokerMessage } from './broker-message.ts'
import { RabbitmqDelivery } from './delivery.ts'
import type { MessageSender } from './message-sender.ts'
import { textOf } from '../connection/refusals.ts'

/** How long a message stays away whose handler did not settle it, in milliseconds: a handler that always throws must not spin. */
const unsettledDelayMs = 100

/** To whom a slot belongs. */
export interface SlotOwner {
  readonly queue: string
  /** The broker's name of the queue. */
  readonly source: string
  readonly sender: MessageSender
  /** How long the acknowledgement of a settled message is held back in case the run ends soon, in milliseconds; without it, until it ends. */
  readonly lazyAcknowledgementMs?: number
  handler(delivery: Delivery): Promise<void>
  /** Whether the slot is to take another message. Asked when a handler has ended, before the broker hears of it. */
  keeps(slot: Slot): boolean
  /** It has room again. */
  ended(slot: Slot): void
  /** The broker has cancelled the slot's consumer: its queue was deleted, or a time-out of the broker's. */
  cancelled(): void
}

/**
 * Room for one run, with a consumer of its own at the broker that holds one message at a time (prefetch 1). As long as that
 * is not acknowledged the broker hands this slot no other, so nothing ever waits behind a run. A run that outlasts the
 * lazy acknowledgement: its consumer is cancelled first, then the message is acknowledged, and the slot consumes again when
 * the run has ended. (One consumer for all slots could not change its prefetch while it lives.)
 */
export class Slot {
  readonly #owner: SlotOwner
  readonly #tag: string
  /** Where the consumer stands, or is about to. */
  #channel: Channel | undefined
  #brokerMessage: BrokerMessage | undefined
  /** Settles when the broker has heard that it is to send no more. */
  #cancelling: Promise<unknown> | undefined
  #run: Promise<void> | undefined
  #lazyTimer: NodeJS.Timeout | undefined
  #deliveries = 0

  /** @param tag No other consumer of the channel has it. */
  constructor(tag: string, owner: SlotOwner) {
    this.#tag = tag
    this.#owner = owner
  }

  /** Settles when what it runs has ended; nothing where it runs nothing. */
  get run(): Promise<void> | undefined {
    return this.#run
  }

  /** Whether it waits for a message. */
  get isIdle(): boolean {
    return this.#channel !== undefined && this.#run === undefined
  }

  /** How many messages it was handed. */
  get deliveries(): number {
    return this.#deliveries
  }

  /** Consumes on the channel, unless it does or runs something. Rejects where the broker refuses, and closes the channel. */
  async arm(channel: Channel): Promise<void> {
    if (this.#run !== undefined || this.#channel !== undefined) return
    this.#channel = channel
    await this.#cancelling
    if (this.#channel === channel) await channel.consume(this.#owner.source, (raw) => this.#take(raw, channel), { consumerTag: this.#tag })
  }

  /** Takes no more. What runs goes on. */
  disarm(): void {
    const channel = this.#channel
    if (channel === undefined) return
    this.#channel = undefined
    // Where it fails the channel closes, and the consumer with it.
    this.#cancelling = channel.cancel(this.#tag).catch(() => {})
  }

  /** The channel is gone, and with it consumer and delivery. The run goes on and keeps the slot. */
  lose(): void {
    this.#channel = undefined
    this.#cancelling = undefined
    this.#brokerMessage?.lose()
    clearTimeout(this.#lazyTimer)
  }

  #take(raw: ConsumeMessage | null, channel: Channel): void {
    if (raw === null) return this.#owner.cancelled()
    const brokerMessage = new BrokerMessage(raw, channel)
    // It was on its way when the slot had enough.
    if (this.#channel !== channel || this.#run !== undefined) return brokerMessage.putBack()
    this.#brokerMessage = brokerMessage
    this.#deliveries++
    this.#run = this.#handle(brokerMessage).then(() => this.#end())
  }

  async #handle(brokerMessage: BrokerMessage): Promise<void> {
    const { queue, sender } = this.#owner
    let message: WorkMessage
    try {
      message = decodeMessage(brokerMessage.raw.content.toString())
    } catch (error) {
      return this.#bury(brokerMessage, error)
    }
    let runs = true
    const delivery = new RabbitmqDelivery(message, queue, brokerMessage, sender, () => {
      if (runs) this.#holdBack(delivery)
    })
    try {
      await this.#owner.handler(delivery)
    } catch (error) {
      sender.logger.error({ err: error, queue, taskId: message.taskId }, 'a handler of the work queue threw')
    }
    runs = false
    clearTimeout(this.#lazyTimer)
    await delivery.release({ delayMs: unsettledDelayMs })
    if (!this.#owner.keeps(this)) this.disarm()
    await this.#conclude(delivery)
  }

  async #bury(brokerMessage: BrokerMessage, error: unknown): Promise<void> {
    const { queue, sender } = this.#owner
    sender.logger.warn({ err: error, queue }, 'put what is no message with the dead letters')
    let isBuried = true
    try {
      await sender.bury(queue, brokerMessage.raw, textOf(error))
    } catch (problem) {
      sender.logger.warn({ err: problem, queue }, 'the reason could not be put with a dead letter')
      isBuried = false
    }
    if (!this.#owner.keeps(this)) this.disarm()
    await this.#cancelling
    if (isBuried) brokerMessage.acknowledge()
    else brokerMessage.discard()
  }

  /** The broker may wait a little for the acknowledgement: most runs end soon, and spare it a consumer that comes and goes. */
  #holdBack(delivery: RabbitmqDelivery): void {
    const { lazyAcknowledgementMs } = this.#owner
    if (lazyAcknowledgementMs === undefined) return
    this.#lazyTimer = setTimeout(() => {
      this.disarm()
      void this.#conclude(delivery)
    }, lazyAcknowledgementMs)
  }

  /** An acknowledgement that came before the end of the consumer would fetch another message. */
  async #conclude(delivery: RabbitmqDelivery): Promise<void> {
    await this.#cancelling
    await delivery.conclude()
  }

  #end(): void {
    this.#run = undefined
    this.#brokerMessage = undefined
    this.#owner.ended(this)
  }
}
