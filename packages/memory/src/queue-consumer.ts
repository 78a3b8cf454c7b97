import type { Consumer, ConsumeMode, Delivery, Logger, WorkMessage } from '@taskledger/core/ports'
import type { Letter, LetterBox } from './letter.ts'

/** How long a message stays away whose handler did not settle it, in milliseconds: a handler that always throws must not spin. */
const unsettledDelayMs = 100

/** One who takes from a queue. */
export class QueueConsumer implements Consumer {
  readonly mode: ConsumeMode
  readonly #queue: LetterBox
  readonly #leave: () => void
  readonly #handler: (delivery: Delivery) => Promise<void>
  readonly #logger: Logger
  /** What is being handled, each with the end of its handler. */
  readonly #running = new Map<MemoryDelivery, Promise<void>>()
  #slots: number
  #isClosing = false

  constructor(
    queue: LetterBox,
    leave: () => void,
    handler: (delivery: Delivery) => Promise<void>,
    slots: number,
    mode: ConsumeMode,
    logger: Logger,
  ) {
    this.mode = mode
    this.#queue = queue
    this.#leave = leave
    this.#handler = handler
    this.#slots = slots
    this.#logger = logger
  }

  get isFree(): boolean {
    return this.#running.size < this.#slots
  }

  take(letter: Letter, message: WorkMessage): void {
    const delivery = new MemoryDelivery(this.#queue, letter, message)
    this.#running.set(delivery, this.#handle(delivery))
  }

  resize(slots: number): void {
    this.#slots = slots
    this.#queue.wake()
  }

  async close(): Promise<void> {
    this.#isClosing = true
    this.#leave()
    await Promise.all(this.#running.values())
  }

  /** Goes without a goodbye: what it had not settled is for others, and whatever its handlers still do changes nothing. */
  vanish(): void {
    this.#leave()
    for (const delivery of [...this.#running.keys()].reverse()) {
      delivery.lose()
      this.#end(delivery)
    }
  }

  async #handle(delivery: MemoryDelivery): Promise<void> {
    try {
      await this.#handler(delivery)
    } catch (error) {
      this.#logger.error({ err: error, queue: this.#queue.name }, 'a handler of the work queue threw')
    }
    // What a consumer that goes leaves unsettled was the next, and still is: others take it before what waits.
    if (this.#isClosing) delivery.lose()
    else await delivery.release({ delayMs: unsettledDelayMs })
    this.#end(delivery)
  }

  #end(delivery: MemoryDelivery): void {
    if (this.#running.delete(delivery)) this.#queue.ended()
  }
}

class MemoryDelivery implements Delivery {
  readonly message: WorkMessage
  readonly redelivered: boolean
  readonly releases: number
  readonly #queue: LetterBox
  readonly #letter: Letter
  #settled = false

  constructor(queue: LetterBox, letter: Letter, message: WorkMessage) {
    this.#queue = queue
    this.#letter = letter
    this.message = message
    this.redelivered = letter.redelivered
    this.releases = letter.releases
  }

  async accept(): Promise<void> {
    this.#settled = true
  }

  async release({ delayMs = 0 }: { readonly delayMs?: number } = {}): Promise<void> {
    if (!this.#settle()) return
    const letter = { ...this.#letter, redelivered: true, releases: this.releases + 1 }
    // Behind those that wait already: a message that nobody can use yet should not stand in their way.
    if (delayMs > 0) this.#queue.addLater(letter, delayMs)
    else this.#queue.add(letter)
  }

  async reject(why: string): Promise<void> {
    if (this.#settle()) this.#queue.bury(this.#letter, why)
  }

  lose(): void {
    if (this.#settle()) this.#queue.addFirst({ ...this.#letter, redelivered: true })
  }

  /** Whether this was the first time. */
  #settle(): boolean {
    if (this.#settled) return false
    this.#settled = true
    return true
  }
}
