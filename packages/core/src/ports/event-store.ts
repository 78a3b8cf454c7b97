import type { TaskEvent } from '../domain/task-event.ts'
import type { TaskId } from '../domain/task-id.ts'
import type { CallOptions } from './call-options.ts'
import type { EventStoreCapabilities } from './capabilities.ts'

/** Which events to read. */
export interface ReadOptions extends CallOptions {
  /** Only events with a higher version. Default 0: all of them. */
  readonly afterVersion?: number
}

/** How to append. */
export interface AppendOptions extends CallOptions {
  /**
   * The id was drawn at random for this append, which begins the history: no other writer can have written to it, and only the same events
   * will ever be appended at version 0. The store may skip the version check if that check is the expensive part. After a removal, a late
   * repeat may then begin the history again or have no effect; it succeeds (ES-5.6). Default false.
   */
  readonly isFresh?: boolean
  /**
   * The id of the event at `expectedVersion`, as the writer knows it. If the event there has another id, the append is refused with
   * `VERSION_CONFLICT`: the writer knows a history that was removed, or that never was. Absent for a first append.
   */
  readonly follows?: string
}

/** What to remove. */
export interface RemoveOptions extends CallOptions {
  /** Removes the history only if its first event has this id: a late or repeated removal must not hit the next task of the same id. */
  readonly firstEventId?: string
}

/**
 * Keeps the events of each task, in order, until they are removed.
 *
 * **You have to** write all events of one `append` or none (ES-1.3); compare the version and the id of the event before, and write, in one
 * atomic step (ES-2.1 to 2.4, 5.3); treat an append whose event ids are already stored at those versions as a success that adds nothing, so
 * that repeating the call settles an unknown outcome (ES-3.1, 3.2); resolve only when the events are as durable as
 * `capabilities.durability` says (ES-3.5); show readers a prefix of the history, never a gap (ES-3.4); never let an `append` at an old
 * version bring a removed task back (ES-5.2), and with `firstEventId` compare and remove in one step, so that no other history is removed
 * (ES-5.4); compare with the history as it is now: an event that was removed is not stored, so the repeat of an append that followed an
 * event is refused after the removal, and an append at version 0 begins the history again, with whatever event ids (ES-5.5, 5.6); name
 * every history once in `histories`, also those that you cannot decode (ES-6.1 to 6.3); read to the end what is longer than a page of the
 * engine (ES-1.8, 6.3).
 *
 * **You may assume** that `events` is not empty, that all events are of `taskId`, and that their versions continue from `expectedVersion`;
 * that the values were checked (they are JSON); that no other program writes your tables; that with `isFresh` no other writer appends at
 * version 0 (ES-2.6).
 *
 * **Not your job:** retrying a conflict, deciding, notifying, snapshots.
 *
 * **Fails with** `VERSION_CONFLICT` if another writer was first or the history is another one, with the version that it has;
 * `OUTCOME_UNKNOWN` if you cannot tell whether the write happened; `UNAVAILABLE` if it certainly did not happen, for a reason that may
 * pass; `UNKNOWN_EVENT_TYPE` or `MALFORMED` if a stored event cannot be decoded; `CLOSED` after `close`.
 */
export interface EventStore {
  readonly capabilities: EventStoreCapabilities

  /** Adds events to the history if its version is `expectedVersion` and its last event is `follows`; version 0 begins a new history. */
  append(taskId: TaskId, expectedVersion: number, events: readonly TaskEvent[], options?: AppendOptions): Promise<void>

  /** The events in order; an empty list if the task is unknown or was removed. */
  read(taskId: TaskId, options?: ReadOptions): Promise<readonly TaskEvent[]>

  /**
   * The task of every history, in any order. It is for repair, so it may be slow and has to be gentle to the engine. A history that begins or
   * is removed meanwhile may be among them or not.
   */
  histories(options?: CallOptions): AsyncIterable<TaskId>

  /** Removes a history. Removing an unknown task is not an error. */
  remove(taskId: TaskId, options?: RemoveOptions): Promise<void>

  /**
   * Releases the engine.
   * A call under way ends soon, with its result, `CLOSED` or `OUTCOME_UNKNOWN` (ES-T.7, T.8). Closing twice is fine.
   */
  close(): Promise<void>
}
