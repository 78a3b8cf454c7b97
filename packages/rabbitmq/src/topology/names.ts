import { misuse } from '@taskledger/core/ports'

/** How many bytes AMQP has for a name. */
const longestName = 255

/** What the exchanges and queues of one prefix are called. No two things have one name, since a prefix has no dot. */
export class Names {
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  /** Where notices go. */
  get events(): string {
    return `${this.#prefix}.events`
  }

  /** Where the tasks of a queue wait. */
  work(queue: string): string {
    return this.#name('work', queue)
  }

  /** What nobody could use. */
  dead(queue: string): string {
    return this.#name('dead', queue)
  }

  /** What comes back into the queue after so many milliseconds. */
  delay(queue: string, delayMs: number): string {
    return this.#name(`delay.${delayMs}`, queue)
  }

  /** The right to take from a serial queue. */
  gate(queue: string): string {
    return this.#name('serial', queue)
  }

  #name(kind: string, queue: string): string {
    const name = `${this.#prefix}.${kind}.${queue}`
    if (Buffer.byteLength(name) > longestName) throw misuse(`the name of a queue is too long for RabbitMQ, with its prefix: ${name}`)
    return name
  }
}
