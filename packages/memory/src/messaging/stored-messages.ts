import type { Clock, DeadLetter } from '@taskledger/core/ports'
import { DeadLetters } from './dead-letters.ts'
import { DelayedMessages } from './delayed-messages.ts'
import { Fifo } from './fifo.ts'
import type { QueuedMessage } from './queued-message.ts'

/** The messages of one queue: those that wait, those released with a delay, and the dead letters. */
export class StoredMessages {
  readonly #onAdded: () => void
  readonly #waiting = new Fifo<QueuedMessage>()
  readonly #delayed: DelayedMessages
  readonly #dead: DeadLetters

  /** @param onAdded Called when a message begins to wait. */
  constructor(clock: Clock, onAdded: () => void) {
    this.#onAdded = onAdded
    this.#dead = new DeadLetters(clock)
    this.#delayed = new DelayedMessages(clock, (message) => this.add(message))
  }

  get waiting(): number {
    return this.#waiting.size
  }

  get counts(): { readonly waiting: number; readonly delayed: number; readonly deadLetters: number } {
    return { waiting: this.waiting, delayed: this.#delayed.size, deadLetters: this.#dead.size }
  }

  get deadLetters(): readonly DeadLetter[] {
    return this.#dead.list((message) => this.add(message))
  }

  add(message: QueuedMessage): void {
    this.#waiting.add(message)
    this.#onAdded()
  }

  /** Puts a message before all others: it was taken before them. */
  addFirst(message: QueuedMessage): void {
    this.#waiting.addFirst(message)
    this.#onAdded()
  }

  addLater(message: QueuedMessage, delayMs: number): void {
    this.#delayed.add(message, delayMs)
  }

  deadLetter(message: QueuedMessage, why: string): void {
    this.#dead.add(message, why)
  }

  take(): QueuedMessage | undefined {
    return this.#waiting.take()
  }

  /** Runs the timers of delayed messages. Messages whose delay has passed already wait again at once. */
  startTimers(): void {
    this.#delayed.start()
  }

  stopTimers(): void {
    this.#delayed.stop()
  }
}
