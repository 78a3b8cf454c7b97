import { decodeNotice } from '@taskledger/core/codec'
import type { Logger, TaskNotice, Unsubscribe } from '@taskledger/core/ports'

interface Subscription {
  readonly listener: (notice: TaskNotice) => void
  /** How many notices were published before the subscription: the listener does not get those. */
  readonly since: number
}

/** The part of the bus that all clients share. */
export class NoticeBoard {
  readonly #logger: Logger
  readonly #subscriptions = new Set<Subscription>()
  readonly #gapListeners = new Set<{ readonly listener: () => void }>()
  #published = 0

  constructor(logger: Logger) {
    this.#logger = logger
  }

  get listeners(): number {
    return this.#subscriptions.size + this.#gapListeners.size
  }

  /**
   * Calls the listeners, later: a listener must not run inside the call that publishes. Microtasks run in the order in which
   * they were queued, so the notices keep their order.
   */
  publish(notice: TaskNotice): void {
    const number = ++this.#published
    queueMicrotask(() => {
      for (const { listener, since } of this.#subscriptions) if (since < number) this.#call(() => listener({ ...notice }))
    })
  }

  /** Publishes the notice in the text, if the codec can read it. */
  publishText(text: string): void {
    try {
      this.publish(decodeNotice(text))
    } catch (error) {
      this.#logger.warn({ err: error }, 'skipped a notice that cannot be decoded')
    }
  }

  subscribe(listener: (notice: TaskNotice) => void): Unsubscribe {
    return addTo(this.#subscriptions, { listener, since: this.#published })
  }

  onGap(listener: () => void): Unsubscribe {
    return addTo(this.#gapListeners, { listener })
  }

  /** Memory has no connection to lose: only a test makes a gap. */
  gap(): void {
    queueMicrotask(() => {
      for (const { listener } of this.#gapListeners) this.#call(listener)
    })
  }

  #call(listen: () => void): void {
    try {
      listen()
    } catch (error) {
      this.#logger.error({ err: error }, 'a listener of the event bus threw')
    }
  }
}

const addTo = <Member>(members: Set<Member>, member: Member): Unsubscribe => {
  members.add(member)
  return () => void members.delete(member)
}
