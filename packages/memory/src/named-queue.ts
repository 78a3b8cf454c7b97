import { decodeMessage, encodeMessage } from '@taskledger/core/codec'
import type { Clock, ConsumeMode, Delivery, Logger, WorkMessage } from '@taskledger/core/ports'
import { copyOf } from './copy.ts'
import { DelayedLetters } from './delayed-letters.ts'
import { Fifo } from './fifo.ts'
import type { DeadLetter, Letter, LetterBox } from './letter.ts'
import { QueueConsumer } from './queue-consumer.ts'

/** How many letters are handed out before timers, sockets and signals have their turn. */
const lettersPerTurn = 1_000

/** One queue: what waits in it, and who takes from it. */
export class NamedQueue implements LetterBox {
  readonly name: string
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #waiting = new Fifo<Letter>()
  readonly #delayed: DelayedLetters
  readonly #deadLetters: DeadLetter[] = []
  /** Whoever takes a letter goes to the end of this line, so that all have their share of the load. */
  readonly #consumers: QueueConsumer[] = []
  #running = 0
  #awake = false
  #handedOut = 0

  constructor(name: string, clock: Clock, logger: Logger) {
    this.name = name
    this.#clock = clock
    this.#logger = logger
    this.#delayed = new DelayedLetters(clock, (letter) => this.add(letter))
  }

  get deadLetters(): readonly DeadLetter[] {
    return [...this.#deadLetters]
  }

  get counts(): { readonly waiting: number; readonly delayed: number; readonly running: number; readonly deadLetters: number } {
    return {
      waiting: this.#waiting.size,
      delayed: this.#delayed.size,
      running: this.#running,
      deadLetters: this.#deadLetters.length,
    }
  }

  add(letter: Letter): void {
    this.#waiting.add(letter)
    this.wake()
  }

  addFirst(letter: Letter): void {
    this.#waiting.addFirst(letter)
    this.wake()
  }

  addLater(letter: Letter, delayMs: number): void {
    this.#delayed.add(letter, delayMs)
  }

  bury(letter: Letter, why: string): void {
    const text = typeof letter.body === 'string' ? letter.body : encodeMessage(letter.body)
    this.#deadLetters.push({ text, why })
  }

  join(handler: (delivery: Delivery) => Promise<void>, slots: number, mode: ConsumeMode): QueueConsumer {
    const consumer: QueueConsumer = new QueueConsumer(this, () => this.leave(consumer), handler, slots, mode, this.#logger)
    this.#consumers.push(consumer)
    this.#delayed.start()
    this.wake()
    return consumer
  }

  leave(consumer: QueueConsumer): void {
    const index = this.#consumers.indexOf(consumer)
    if (index >= 0) this.#consumers.splice(index, 1)
    if (this.#consumers.length === 0) this.#delayed.stop()
    // The one that left may have been the serial one.
    this.wake()
  }

  ended(): void {
    this.#running--
    this.wake()
  }

  /** Hands out what can be handed out, soon: a handler must not run inside the call of whoever sends. */
  wake(): void {
    if (this.#awake) return
    this.#awake = true
    queueMicrotask(() => this.#dispatch())
  }

  #dispatch(): void {
    this.#awake = false
    while (this.#waiting.size > 0) {
      const consumer = this.#nextFree()
      if (consumer === undefined) return
      if (this.#handedOut === lettersPerTurn) return this.#letOthersRun()
      const letter = this.#waiting.take()
      if (letter === undefined) return
      this.#handedOut++
      this.#hand(letter, consumer)
    }
  }

  /** In memory everything happens in microtasks, which come before all else: a long queue would stop every timer. */
  #letOthersRun(): void {
    this.#handedOut = 0
    this.#awake = true
    this.#clock.schedule(0, () => this.#dispatch())
  }

  #hand(letter: Letter, consumer: QueueConsumer): void {
    let message: WorkMessage
    try {
      message = typeof letter.body === 'string' ? decodeMessage(letter.body) : copyOf(letter.body)
    } catch (error) {
      this.#logger.warn({ err: error, queue: this.name }, 'put what is no message with the dead letters')
      return this.bury(letter, error instanceof Error ? error.message : String(error))
    }
    this.#running++
    consumer.take(letter, message)
  }

  /** A queue that is serial for one consumer is serial for all. */
  #nextFree(): QueueConsumer | undefined {
    if (this.#running > 0 && this.#consumers.some((consumer) => consumer.mode === 'serial')) return undefined
    const index = this.#consumers.findIndex((consumer) => consumer.isFree)
    const [consumer] = index < 0 ? [] : this.#consumers.splice(index, 1)
    if (consumer !== undefined) this.#consumers.push(consumer)
    return consumer
  }
}
