import type { Delivery, ReleaseOptions, WorkMessage } from '@taskledger/core/ports'
import type { QueuedMessage } from './queued-message.ts'
import type { StoredMessages } from './stored-messages.ts'

/** A message in the hands of a handler. */
export class MemoryDelivery implements Delivery {
  readonly message: WorkMessage
  readonly redelivered: boolean
  readonly releases: number
  readonly #messages: StoredMessages
  readonly #queued: QueuedMessage
  #isSettled = false

  constructor(messages: StoredMessages, queued: QueuedMessage, message: WorkMessage) {
    this.#messages = messages
    this.#queued = queued
    this.message = message
    this.redelivered = queued.redelivered
    this.releases = queued.releases
  }

  async accept(): Promise<void> {
    this.#isSettled = true
  }

  async release({ delayMs = 0, isCounted = true }: ReleaseOptions = {}): Promise<void> {
    if (!this.#settle()) return
    const released = { ...this.#queued, redelivered: true, releases: this.releases + (isCounted ? 1 : 0) }
    // To the end of the queue: a message that cannot be used yet must not block those that wait.
    if (delayMs > 0) this.#messages.addLater(released, delayMs)
    else this.#messages.add(released)
  }

  async reject(why: string): Promise<void> {
    if (this.#settle()) this.#messages.deadLetter(this.#queued, why)
  }

  /** The consumer is gone: puts an unsettled message back to the head of the queue. */
  lose(): void {
    if (this.#settle()) this.#messages.addFirst({ ...this.#queued, redelivered: true })
  }

  /** Whether this call was the first. */
  #settle(): boolean {
    if (this.#isSettled) return false
    this.#isSettled = true
    return true
  }
}
