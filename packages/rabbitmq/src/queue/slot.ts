import type { Channel, ConsumeMessage } from 'amqplib'
import { decodeMessage } from '@taskledger/core/codec'
import type { Delivery, WorkMessage } from '@taskledger/core/ports'
import { textOf } from '../connection/refusals.ts'
import { BrokerMessage } from './broker-message.ts'
import { RabbitmqDelivery } from './delivery.ts'
import type { MessageSender } from './message-sender.ts'

/** The delay of a message whose handler did not settle it, in milliseconds: a handler that always throws must not spin. */
const unsettledDelayMs = 100

/** The consumer that a slot belongs to. */
export interface SlotOwner {
  readonly queue: string
  /** The broker's name of the queue. */
  readonly source: string
  readonly sender: MessageSender
  /**
   * How long the acknowledgement of a settled message is delayed in case the run ends soon, in milliseconds. Absent: until the run
   * ends.
   */
  readonly lazyAcknowledgementMs?: number
  handler(delivery: Delivery): Promise<void>
  /** Whether the slot is to take another message. Asked when a handler has ended, before the broker is told. */
  mayTakeMore(slot: Slot): boolean
  /** Whether the consumer is being closed. */
  isClosing(): boolean
  /** The slot is free again. */
  onFree(slot: Slot): void
  /** The broker has cancelled the slot's consumer: its queue was deleted, or the consumer timeout has passed. */
  onCancelled(): void
}

/**
 * Room for one run, with a consumer of its own at the broker that holds one message at a time (prefetch 1). Until that message is
 * acknowledged, the broker delivers no other to the slot, so a message never waits behind a run. When a run outlasts the lazy
 * acknowledgement, the slot cancels its consumer first, then acknowledges the message, and consumes again after the run. One consumer
 * for all slots would not do, because the prefetch of a consumer cannot be changed.
 */
export class Slot {
  readonly #owner: SlotOwner
  readonly #tag: string
  /** The channel on which the slot consumes, or is about to. */
  #channel: Channel | undefined
  #brokerMessage: BrokerMessage | undefined
  /** Settles when the broker has confirmed the cancellation of the consumer. */
  #cancelling: Promise<unknown> | undefined
  #run: Promise<void> | undefined
  #lazyTimer: NodeJS.Timeout | undefined
  #deliveries = 0

  /** @param tag The consumer tag, which no other consumer of the channel has. */
  constructor(tag: string, owner: SlotOwner) {
    this.#tag = tag
    this.#owner = owner
  }

  /** Settles when the run has ended; absent without a run. */
  get run(): Promise<void> | undefined {
    return this.#run
  }

  /** Whether the slot waits for a message. */
  get isIdle(): boolean {
    return this.#channel !== undefined && this.#run === undefined
  }

  /** How many messages the slot has received. */
  get deliveries(): number {
    return this.#deliveries
  }

  /** Consumes on the channel, unless the slot already consumes or runs. Rejects where the broker refuses, and closes the channel. */
  async consume(channel: Channel): Promise<void> {
    if (this.#run !== undefined || this.#channel !== undefined) return
    this.#channel = channel
    await this.#cancelling
    if (this.#channel !== channel) return
    await channel.consume(this.#owner.source, (raw) => this.#receive(raw, channel), { consumerTag: this.#tag })
  }

  /** Takes no more messages. A run goes on. */
  cancel(): void {
    const channel = this.#channel
    if (channel === undefined) return
    this.#channel = undefined
    // If the cancellation fails, the channel closes, and the consumer is gone with it.
    this.#cancelling = channel.cancel(this.#tag).catch(() => {})
  }

  /** The channel is gone, with the consumer and the delivery. A run goes on and occupies the slot. */
  lose(): void {
    this.#channel = undefined
    this.#cancelling = undefined
    this.#brokerMessage?.lose()
    clearTimeout(this.#lazyTimer)
  }

  #receive(raw: ConsumeMessage | null, channel: Channel): void {
    if (raw === null) return this.#owner.onCancelled()
    const brokerMessage = new BrokerMessage(raw, channel)
    // Delivered after the slot was cancelled.
    if (this.#channel !== channel || this.#run !== undefined) return brokerMessage.requeue()
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
      return this.#deadLetter(brokerMessage, error)
    }
    let isRunning = true
    const onSettled = (): void => {
      if (isRunning) this.#acknowledgeLater(delivery)
    }
    const delivery = new RabbitmqDelivery({ message, queue, brokerMessage, sender, onSettled })
    try {
      await this.#owner.handler(delivery)
    } catch (error) {
      sender.logger.error({ err: error, queue, taskId: message.taskId }, 'a handler of the work queue threw')
    }
    isRunning = false
    clearTimeout(this.#lazyTimer)
    // A consumer that closes puts an unsettled message back where it came from: the next one gets it first, and it does not count.
    if (this.#owner.isClosing()) await delivery.requeue()
    else await delivery.release({ delayMs: unsettledDelayMs })
    if (!this.#owner.mayTakeMore(this)) this.cancel()
    await this.#conclude(delivery)
  }

  async #deadLetter(brokerMessage: BrokerMessage, error: unknown): Promise<void> {
    const { queue, sender } = this.#owner
    sender.logger.warn({ err: error, queue }, 'dead-lettered a message that cannot be decoded')
    let isSent = true
    try {
      await sender.deadLetter(queue, brokerMessage, textOf(error))
    } catch (sendError) {
      sender.logger.warn(
        { err: sendError, queue },
        'dead-lettered a message without its reason: the copy with the reason could not be sent',
      )
      isSent = false
    }
    if (!this.#owner.mayTakeMore(this)) this.cancel()
    await this.#cancelling
    if (isSent) brokerMessage.acknowledge()
    else brokerMessage.deadLetter()
  }

  /** Most runs end soon after they are accepted. Until then the broker waits, which saves cancelling and restarting the consumer. */
  #acknowledgeLater(delivery: RabbitmqDelivery): void {
    const { lazyAcknowledgementMs } = this.#owner
    if (lazyAcknowledgementMs === undefined) return
    this.#lazyTimer = setTimeout(() => {
      this.cancel()
      void this.#conclude(delivery)
    }, lazyAcknowledgementMs)
  }

  /** Waits for a cancellation first: an acknowledgement before it would let the broker deliver another message. */
  async #conclude(delivery: RabbitmqDelivery): Promise<void> {
    await this.#cancelling
    await delivery.concludeAtBroker()
  }

  #end(): void {
    this.#run = undefined
    this.#brokerMessage = undefined
    this.#owner.onFree(this)
  }
}
