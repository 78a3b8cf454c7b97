import type { CancelSchedule, Clock } from '@taskledger/core/ports'
import type { QueuedMessage } from './queued-message.ts'

/**
 * Messages that were released with a delay. Timers run only while the queue has a consumer: a timer without a consumer would
 * keep the process from ending.
 */
export class DelayedMessages {
  readonly #clock: Clock
  readonly #onDue: (message: QueuedMessage) => void
  /** By `clock.elapsed()`: the wall clock may be set. */
  readonly #dueAt = new Map<QueuedMessage, number>()
  readonly #timers = new Map<QueuedMessage, CancelSchedule>()
  #isRunning = false

  constructor(clock: Clock, onDue: (message: QueuedMessage) => void) {
    this.#clock = clock
    this.#onDue = onDue
  }

  get size(): number {
    return this.#dueAt.size
  }

  add(message: QueuedMessage, delayMs: number): void {
    const dueAt = this.#clock.elapsed() + delayMs
    this.#dueAt.set(message, dueAt)
    if (this.#isRunning) this.#schedule(message, dueAt)
  }

  /** Messages that became due while no timer ran are given back at once. */
  start(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    for (const [message, dueAt] of this.#dueAt) this.#schedule(message, dueAt)
  }

  stop(): void {
    this.#isRunning = false
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
  }

  #schedule(message: QueuedMessage, dueAt: number): void {
    const cancel = this.#clock.schedule(dueAt - this.#clock.elapsed(), () => {
      this.#timers.delete(message)
      this.#dueAt.delete(message)
      this.#onDue(message)
    })
    this.#timers.set(message, cancel)
  }
}
