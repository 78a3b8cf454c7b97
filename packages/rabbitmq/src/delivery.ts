import type { Channel, ConsumeMessage } from 'amqplib'
import { IllegalOperationError } from 'amqplib'
import type { Delivery, WorkMessage } from '@taskledger/core/ports'
import type { LetterBox } from './letter-box.ts'
import { releasesOf } from './letter-box.ts'

/**
 * One message as the broker handed it out. It can be acknowledged on its own channel only: once that is gone, the broker
 * hands the message to somebody else, and nothing that is done here counts any more.
 */
export class Handout {
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

/** A message in the hands of a handler. Settling it decides what becomes of it; the broker is told later, by whom owns it. */
export class RabbitDelivery implements Delivery {
  readonly message: WorkMessage
  readonly redelivered: boolean
  readonly releases: number
  readonly #queue: string
  readonly #handout: Handout
  readonly #box: LetterBox
  readonly #onSettled: () => void
  #settling: Promise<void> | undefined
  #putsBack = false

  constructor(message: WorkMessage, queue: string, handout: Handout, box: LetterBox, onSettled: () => void) {
    const { fields, properties } = handout.raw
    const deliveries: unknown = properties.headers?.['x-delivery-count']
    this.message = message
    this.releases = releasesOf(handout.raw)
    this.redelivered = fields.redelivered || this.releases > 0 || (typeof deliveries === 'number' && deliveries > 0)
    this.#queue = queue
    this.#handout = handout
    this.#box = box
    this.#onSettled = onSettled
  }

  accept(): Promise<void> {
    return (this.#settling ??= this.#settle(async () => {}))
  }

  release({ delayMs = 0 }: { readonly delayMs?: number } = {}): Promise<void> {
    return (this.#settling ??= this.#settle(() => this.#box.release(this.#queue, this.#handout.raw, delayMs)))
  }

  reject(why: string): Promise<void> {
    return (this.#settling ??= this.#settle(() => this.#box.bury(this.#queue, this.#handout.raw, why)))
  }

  /** Tells the broker what was decided, once that can be told. */
  async conclude(): Promise<void> {
    await this.#settling
    if (this.#putsBack) this.#handout.putBack()
    else this.#handout.acknowledge()
  }

  async #settle(copy: () => Promise<void>): Promise<void> {
    try {
      if (this.#handout.isOpen) await copy()
    } catch (error) {
      // It is not lost: the broker still has it, and hands it to somebody, though without counting the release.
      this.#box.logger.warn(
        { err: error, queue: this.#queue, taskId: this.message.taskId },
        'a message could not be moved: it goes back into its queue',
      )
      this.#putsBack = true
    }
    this.#onSettled()
  }
}
