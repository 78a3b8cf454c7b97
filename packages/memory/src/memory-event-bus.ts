import { decodeNotice } from '@taskledger/core/codec'
import type { CallOptions, EventBus, EventBusCapabilities, Logger, TaskNotice, Unsubscribe } from '@taskledger/core/ports'
import { copyOf } from './copy.ts'
import { Gate } from './gate.ts'

interface Subscription {
  readonly listener: (notice: TaskNotice) => void
  /** How many notices had been published when it began: those are not for it. */
  readonly since: number
}

/** What all clients of a bus share. */
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
   * Tells the listeners, later: a listener must not run inside the call of whoever publishes. Microtasks run in the order in
   * which they were queued, and so do the notices.
   */
  publish(notice: TaskNotice): void {
    const number = ++this.#published
    queueMicrotask(() => {
      for (const { listener, since } of this.#subscriptions) if (since < number) this.#tell(() => listener({ ...notice }))
    })
  }

  /** Publishes what stands in the text, if it is a notice. */
  publishText(text: string): void {
    try {
      this.publish(decodeNotice(text))
    } catch (error) {
      this.#logger.warn({ err: error }, 'skipped what is no notice')
    }
  }

  subscribe(listener: (notice: TaskNotice) => void): Unsubscribe {
    return addTo(this.#subscriptions, { listener, since: this.#published })
  }

  onGap(listener: () => void): Unsubscribe {
    return addTo(this.#gapListeners, { listener })
  }

  /** There is no connection to lose in memory: only a test makes a gap. */
  gap(): void {
    queueMicrotask(() => {
      for (const { listener } of this.#gapListeners) this.#tell(listener)
    })
  }

  #tell(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#logger.error({ err: error }, 'a listener of the event bus threw')
    }
  }
}

export class MemoryEventBus implements EventBus {
  readonly capabilities: EventBusCapabilities = { crossesProcesses: false }
  readonly #gate = new Gate('the event bus')
  readonly #board: NoticeBoard
  readonly #subscriptions = new Set<Unsubscribe>()

  constructor(board: NoticeBoard) {
    this.#board = board
  }

  async publish(notices: readonly TaskNotice[], options?: CallOptions): Promise<void> {
    this.#gate.pass(options?.signal)
    for (const notice of notices) this.#board.publish(copyOf(notice))
  }

  subscribe(listener: (notice: TaskNotice) => void): Unsubscribe {
    this.#gate.pass()
    return this.#keep(this.#board.subscribe(listener))
  }

  onGap(listener: () => void): Unsubscribe {
    this.#gate.pass()
    return this.#keep(this.#board.onGap(listener))
  }

  async close(): Promise<void> {
    this.#gate.shut()
    for (const unsubscribe of this.#subscriptions) unsubscribe()
    this.#subscriptions.clear()
  }

  #keep(end: Unsubscribe): Unsubscribe {
    this.#subscriptions.add(end)
    return () => {
      this.#subscriptions.delete(end)
      end()
    }
  }
}

const addTo = <Member>(members: Set<Member>, member: Member): Unsubscribe => {
  members.add(member)
  return () => void members.delete(member)
}
