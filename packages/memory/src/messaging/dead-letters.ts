import { encodeMessage, shownMessage } from '@taskledger/core/codec'
import type { Clock, DeadLetter } from '@taskledger/core/ports'
import type { QueuedMessage } from './queued-message.ts'

/** A dead message, as the queue keeps it. */
interface Dead {
  readonly id: string
  readonly queued: QueuedMessage
  readonly why: string
  readonly deadAt: number
}

/** The dead letters of one queue, the oldest first. */
export class DeadLetters {
  readonly #clock: Clock
  readonly #kept = new Set<Dead>()
  #count = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#kept.size
  }

  add(queued: QueuedMessage, why: string): void {
    this.#kept.add({ id: String(++this.#count), queued, why, deadAt: this.#clock.now() })
  }

  /** @param resend Puts a message into its queue again. */
  list(resend: (message: QueuedMessage) => void): readonly DeadLetter[] {
    return [...this.#kept].map((dead) => ({
      id: dead.id,
      ...shownMessage(textOf(dead.queued)),
      why: dead.why,
      deadAt: dead.deadAt,
      releases: dead.queued.releases,
      resend: async () => {
        if (this.#kept.delete(dead)) resend({ body: dead.queued.body, redelivered: false, releases: 0 })
      },
      remove: async () => void this.#kept.delete(dead),
    }))
  }
}

/** The codec refuses a message that it could not read back, and a dead letter may be one. */
const textOf = ({ body }: QueuedMessage): string => {
  if (typeof body === 'string') return body
  try {
    return encodeMessage(body)
  } catch {
    return JSON.stringify(body)
  }
}
