import type { Options } from 'amqplib'

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

  settle(outcome: PublishOutcome | Error): void {
    this.#settle(outcome)
  }
}
