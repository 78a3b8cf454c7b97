import { decodeEvent } from '@taskledger/core/codec'
import type {
  AppendOptions,
  CallOptions,
  EventStore,
  EventStoreCapabilities,
  ReadOptions,
  RemoveOptions,
  TaskEvent,
  TaskId,
} from '@taskledger/core/ports'
import { VersionConflict } from '@taskledger/core/ports'
import { copyOf } from '../copy.ts'
import { Gate } from '../gate.ts'

/** An event, or text that no codec wrote, which a test put there. */
type StoredEvent = TaskEvent | string

/** The event of version n has the index n - 1. */
export type Histories = Map<TaskId, StoredEvent[]>

/** One client of the event store. */
export class MemoryEventStore implements EventStore {
  readonly capabilities: EventStoreCapabilities = { durability: 'none' }
  readonly #gate = new Gate('the event store')
  readonly #histories: Histories

  constructor(histories: Histories) {
    this.#histories = histories
  }

  // Compares and writes without an await in between, so no other write can intervene. A real engine needs a conditional write or a
  // lock here.
  async append(taskId: TaskId, expectedVersion: number, events: readonly TaskEvent[], options?: AppendOptions): Promise<void> {
    this.#gate.pass(options?.signal)
    const history = this.#histories.get(taskId) ?? []
    if (history.length === expectedVersion && isAt(history, expectedVersion, options?.follows)) {
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
    // A copy, because other calls may add and remove histories during the iteration.
    const taskIds = Array.from(this.#histories.keys())
    for (const taskId of taskIds) {
      this.#gate.pass(options?.signal)
      yield taskId
    }
  }

  // A removed history has version 0, so a later append at an old version is a conflict and cannot restore the task.
  async remove(taskId: TaskId, options?: RemoveOptions): Promise<void> {
    this.#gate.pass(options?.signal)
    const { firstEventId } = options ?? {}
    if (firstEventId === undefined || idAt(this.#histories.get(taskId) ?? [], 1) === firstEventId) this.#histories.delete(taskId)
  }

  async close(): Promise<void> {
    this.#gate.shut()
  }
}

const readEvent = (stored: StoredEvent): TaskEvent => (typeof stored === 'string' ? decodeEvent(stored) : copyOf(stored))

/** Whether these events were appended before, at that version. The history may have grown since. */
const standThere = (history: readonly StoredEvent[], expectedVersion: number, events: readonly TaskEvent[]): boolean =>
  events.every(({ eventId }, index) => idAt(history, expectedVersion + index + 1) === eventId)

/** Whether the event of a version has the id that the writer knows. */
const isAt = (history: readonly StoredEvent[], version: number, follows: string | undefined): boolean =>
  follows === undefined || idAt(history, version) === follows

const idAt = (history: readonly StoredEvent[], version: number): string | undefined => {
  const stored = history[version - 1]
  return typeof stored === 'object' ? stored.eventId : undefined
}
