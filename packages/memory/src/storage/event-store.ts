import { decodeEvent } from '@taskledger/core/codec'
import type { CallOptions, EventStore, EventStoreCapabilities, ReadOptions, TaskEvent, TaskId } from '@taskledger/core/ports'
import { VersionConflict } from '@taskledger/core/ports'
import { copyOf } from '../copy.ts'
import { Gate } from '../gate.ts'

/** An event, or text that no codec wrote: put there to see what becomes of it. */
type StoredEvent = TaskEvent | string

/** The event of version n stands at n - 1. */
export type Histories = Map<TaskId, StoredEvent[]>

export class MemoryEventStore implements EventStore {
  readonly capabilities: EventStoreCapabilities = { durability: false }
  readonly #gate = new Gate('the event store')
  readonly #histories: Histories

  constructor(histories: Histories) {
    this.#histories = histories
  }

  // Compares and writes without an await in between: nobody else's write can come there. Elsewhere this takes a
  // conditional write or a lock.
  async append(taskId: TaskId, expectedVersion: number, events: readonly TaskEvent[], options?: CallOptions): Promise<void> {
    this.#gate.pass(options?.signal)
    const history = this.#histories.get(taskId) ?? []
    if (history.length === expectedVersion) {
      for (const event of events) history.push(copyOf(event))
      this.#histories.set(taskId, history)
    } else if (!standThere(history, expectedVersion, events)) {
      throw new VersionConflict(taskId, expectedVersion, history.length)
    }
  }

  async read(taskId: TaskId, options?: ReadOptions): Promise<readonly TaskEvent[]> {
    this.#gate.pass(options?.signal)
    const history = this.#histories.get(taskId) ?? []
    return history.slice(options?.afterVersion ?? 0).map(readEvent)
  }

  async *histories(options?: CallOptions): AsyncGenerator<TaskId, void, undefined> {
    this.#gate.pass(options?.signal)
    // A copy: whoever walks takes his time, and others go on adding and removing.
    const taskIds = Array.from(this.#histories.keys())
    for (const taskId of taskIds) {
      this.#gate.pass(options?.signal)
      yield taskId
    }
  }

  // A later append at an old version meets no history, whose version is 0: a conflict, so it cannot bring the task back.
  async remove(taskId: TaskId, options?: CallOptions): Promise<void> {
    this.#gate.pass(options?.signal)
    this.#histories.delete(taskId)
  }

  async close(): Promise<void> {
    this.#gate.shut()
  }
}

const readEvent = (stored: StoredEvent): TaskEvent => (typeof stored === 'string' ? decodeEvent(stored) : copyOf(stored))

/** Whether this very append was made before. The history may have moved on since. */
const standThere = (history: readonly StoredEvent[], expectedVersion: number, events: readonly TaskEvent[]): boolean =>
  events.every(({ eventId }, index) => {
    const stored = history[expectedVersion + index]
    return typeof stored === 'object' && stored.eventId === eventId
  })
