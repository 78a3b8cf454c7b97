import type { CallOptions, EventBus, EventBusCapabilities, TaskNotice, Unsubscribe } from '@taskledger/core/ports'
import { copyOf } from '../copy.ts'
import { Gate } from '../gate.ts'
import type { NoticeBoard } from './notice-board.ts'

/** One client of the bus. */
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
