import type { Channel, ConsumeMessage } from 'amqplib'
import { IllegalOperationError } from 'amqplib'

/**
 * A message as the broker delivered it. It can be acknowledged only on the channel of its delivery: once that channel is gone, the
 * broker delivers the message again, and the calls here change nothing any more.
 */
export class BrokerMessage {
  readonly raw: ConsumeMessage
  readonly #channel: Channel
  #isOver = false
  #lost: AbortController | undefined

  constructor(raw: ConsumeMessage, channel: Channel) {
    this.raw = raw
    this.#channel = channel
  }

  /** Whether the broker still waits for an acknowledgement. */
  get isOpen(): boolean {
    return !this.#isOver
  }

  /** Aborted when the channel is gone: what is not sent by then must not be sent any more, because another consumer has the message. */
  get lost(): AbortSignal {
    this.#lost ??= new AbortController()
    return this.#lost.signal
  }

  acknowledge(): void {
    this.#end(() => this.#channel.ack(this.raw))
  }

  /** Puts the message back into its queue. */
  requeue(): void {
    this.#end(() => this.#channel.nack(this.raw, false, true))
  }

  /** Lets the broker dead-letter the message, without a reason. */
  deadLetter(): void {
    this.#end(() => this.#channel.nack(this.raw, false, false))
  }

  /** The channel is gone. */
  lose(): void {
    this.#isOver = true
    this.#lost?.abort(new Error('the connection of the delivery is gone, and the broker delivers the message again'))
  }

  #end(settle: () => void): void {
    if (this.#isOver) return
    this.#isOver = true
    try {
      settle()
    } catch (error) {
      // The channel is closing: the broker will deliver the message again.
      if (!(error instanceof IllegalOperationError)) throw error
    }
  }
}
