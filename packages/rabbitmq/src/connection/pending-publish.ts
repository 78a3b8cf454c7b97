import type { Options } from 'amqplib'
import { BackOff } from './back-off.ts'

/** A message to be published. */
export interface OutgoingMessage {
  readonly exchange: string
  readonly routingKey: string
  readonly content: Buffer
  readonly options: Options.Publish
}

/** `returned`: the exchange routed the message to no queue, and the broker has dropped it. */
export type PublishOutcome = 'confirmed' | 'returned'

/** A message that waits to be sent, or for the broker's answer. */
export class PendingPublish {
  readonly message: OutgoingMessage
  readonly id: string
  readonly signal: AbortSignal | undefined
  /** Settles with the broker's answer, or with the reason why there will be none. */
  readonly answered: Promise<PublishOutcome>
  isSent = false
  /** Whether the call has ended: nobody waits for an answer any more. */
  isOver = false
  #refusals = 0
  #backOff: BackOff | undefined
  #settle = (_outcome: PublishOutcome | Error): void => {}

  constructor(message: OutgoingMessage, id: string, signal: AbortSignal | undefined) {
    this.message = message
    this.id = id
    this.signal = signal
    this.answered = new Promise((resolve, reject) => {
      this.#settle = (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome))
    })
  }

  get bytes(): number {
    return this.message.content.length
  }

  /** How often the broker refused the message. */
  get refusals(): number {
    return this.#refusals
  }

  /** Resolves when a refused message may be sent again: later after each refusal. */
  async waitAfterRefusal(): Promise<void> {
    this.#refusals++
    this.#backOff ??= new BackOff()
    await this.#backOff.pause()
  }

  settle(outcome: PublishOutcome | Error): void {
    this.#settle(outcome)
  }
}
