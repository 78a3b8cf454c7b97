import type { Channel, ConsumeMessage } from 'amqplib'
import { IllegalOperationError } from 'amqplib'

/**
 * One message as the broker handed it out. It can be acknowledged on its own channel only: once that is gone, the broker
 * hands the message to somebody else, and nothing that is done here counts any more.
 */
export class BrokerMessage {
  readonly raw: ConsumeMessage
  readonly #channel: Channel
  #isOver = false

  constructor(raw: ConsumeMessage, channel: Channel) {
    this.raw = raw
    this.#channel = channel
  }

  /** Whether the broker still waits for us. */
  get isOpen(): boolean {
    return !this.#isOver
  }

  acknowledge(): void {
    this.#end(() => this.#channel.ack(this.raw))
  }

  /** Back into the queue, for others. */
  putBack(): void {
    this.#end(() => this.#channel.nack(this.raw, false, true))
  }

  /** To the dead letters, by the broker, which knows no reason. */
  discard(): void {
    this.#end(() => this.#channel.nack(this.raw, false, false))
  }

  /** Its channel is gone. */
  lose(): void {
    this.#isOver = true
  }

  #end(settle: () => void): void {
    if (this.#isOver) return
    this.#isOver = true
    try {
      settle()
    } catch (error) {
      // The channel closes: the broker will hand the message to somebody else.
      if (!(error instanceof IllegalOperationError)) throw error
    }
  }
}
