import type { ConsumeMode, Delivery, ReleaseOptions, WorkMessage } from '@taskledger/core/ports'
import type { QueuedMessage } from './queued-message.ts'
import type { StoredMessages } from './stored-messages.ts'

/** What a delivery is made of. */
interface DeliveryParts {
  readonly messages: StoredMessages
  readonly queued: QueuedMessage
  readonly message: WorkMessage
  readonly mode: ConsumeMode
}

/** A message in the hands of a handler. */
export class MemoryDelivery implements Delivery {
  readonly message: WorkMessage
  readonly redelivered: boolean
  readonly releases: number
  readonly #messages: StoredMessages
  readonly #queued: QueuedMessage
  readonly #isSerial: boolean
  /** Whether the handler has settled it, or the queue has taken it back. */
  #isSettled = false
  /** Whether the queue keeps the message, to deliver it again if the consumer is lost. */
  #isKept = true

  constructor({ messages, queued, message, mode }: DeliveryParts) {
    this.#messages = messages
    this.#queued = queued
    this.#isSerial = mode === 'serial'
    this.message = message
    this.redelivered = queued.redelivered
    this.releases = queued.releases
  }

  /** Whether a settlement would change nothing any more. */
  get isSettled(): boolean {
    return this.#isSettled
  }

  async accept(): Promise<void> {
    // If the turn of a serial queue is lost, the next holder gets the message of the handler that still runs, before any other.
    if (this.#settle() && !this.#isSerial) this.#isKept = false
  }

  async release({ delayMs = 0, isCounted = true }: ReleaseOptions = {}): Promise<void> {
    if (!this.#settle()) return
    this.#isKept = false
    const released = { ...this.#queued, redelivered: true, releases: this.releases + (isCounted ? 1 : 0) }
    // To the end of the queue: a message that cannot be used yet must not block those that wait.
    if (delayMs > 0) this.#messages.addLater(released, delayMs)
    else this.#messages.add(released)
  }

  async reject(why: string): Promise<void> {
    if (!this.#settle()) return
    this.#isKept = false
    this.#messages.deadLetter(this.#queued, why)
  }

  /** The handler has ended: an accepted message is gone. */
  end(): void {
    this.#isKept = false
  }

  /** The consumer is gone: puts the message back to the head of the queue, if the queue still keeps it. Settlements change nothing any more. */
  lose(): void {
    if (!this.#isKept) return
    this.#isKept = false
    this.#isSettled = true
    this.#messages.addFirst({ ...this.#queued, redelivered: true })
  }

  /** Whether this call was the first. */
  #settle(): boolean {
    if (this.#isSettled) return false
    this.#isSettled = true
    return true
  }
}
