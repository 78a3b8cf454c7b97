import { misuse } from '@taskledger/core/ports'

/** The maximum length of a name in AMQP, in bytes. */
const maxNameBytes = 255

/** The names of the exchanges and queues of one prefix. A prefix has no dot, so the names of two prefixes never meet. */
export class Names {
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  /** The exchange of notices. */
  get events(): string {
    return `${this.#prefix}.events`
  }

  /** The queue in which the messages of a work queue wait. */
  work(queue: string): string {
    return this.#name('work', queue)
  }

  /** The queue of dead letters. */
  dead(queue: string): string {
    return this.#name('dead', queue)
  }

  /** The queue from which messages return to the work queue after the delay. */
  delay(queue: string, delayMs: number): string {
    return this.#name(`delay.${delayMs}`, queue)
  }

  /** The queue of the token of a serial queue: the consumer that holds the token may take messages. */
  tokens(queue: string): string {
    return this.#name('serial', queue)
  }

  /** A queue that exists only while the rights of the user are checked. */
  check(unique: string): string {
    return this.#name('check', unique)
  }

  #name(kind: string, queue: string): string {
    const name = `${this.#prefix}.${kind}.${queue}`
    if (Buffer.byteLength(name) > maxNameBytes)
      throw misuse(`the name ${name} is too long for RabbitMQ (${maxNameBytes} bytes): give a shorter queue or prefix`)
    return name
  }
}
