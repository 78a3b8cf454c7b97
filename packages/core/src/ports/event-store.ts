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
   * The id was drawn by chance for this very append, which begins the history: nobody else can have written at it, and only
   * the same events will ever be appended at version 0. An engine may leave out the comparison, where that is the dear
   * part. Default false.
   */
  readonly isFresh?: boolean
}

/**
 * Keeps the events of each task, in order, for good.
 *
 * **You have to** write all events of one `append` or none (ES-1.3); compare the version and write in one atomic step
 * (ES-2.1 to 2.4); treat an append whose event ids stand at those versions already as a success that adds nothing, so that
 * an unknown outcome is settled by repeating the call (ES-3.1, 3.2); resolve only when the events are as durable as
 * `capabilities.durability` says (ES-3.5); show readers a prefix of the history, never a hole (ES-3.4); keep an `append`
 * at an old version from bringing a removed task back (ES-5.2); name every history once in `histories`, those that you cannot
 * decode too (ES-6.1, 6.2).
 *
 * **You may assume** that `events` is not empty, that all are of `taskId`, and that their versions run on from
 * `expectedVersion`; that values were checked (they are JSON); that nobody else writes your tables; that with `isFresh`
 * nobody else appends at version 0 (ES-2.6).
 *
 * **Not your job:** retrying a conflict, deciding anything, telling anybody, snapshots.
 *
 * **Fails with** `VERSION_CONFLICT` where another writer was first, with the version that the history has;
 * `OUTCOME_UNKNOWN` where you cannot tell whether the write happened; `UNAVAILABLE` where it certainly did not, for a
 * reason that may pass; `UNKNOWN_EVENT_TYPE` or `MALFORMED` where a stored event cannot be decoded; `CLOSED` after
 * `close`.
 */
export interface EventStore {
  readonly capabilities: EventStoreCapabilities

  /** Adds events to a history whose version is `expectedVersion`; 0 brings a new history into being. */
  append(taskId: TaskId, expectedVersion: number, events: readonly TaskEvent[], options?: AppendOptions): Promise<void>

  /** The events in order; none where the task is unknown or was removed. */
  read(taskId: TaskId, options?: ReadOptions): Promise<readonly TaskEvent[]>

  /**
   * The task of every history, in any order: for repair, so it may be slow, and has to be gentle. What begins or is removed
   * meanwhile may be among them or not.
   */
  histories(options?: CallOptions): AsyncIterable<TaskId>

  /** Forgets a history. Forgetting an unknown task is no error. */
  remove(taskId: TaskId, options?: CallOptions): Promise<void>

  /** Ends what is under way and lets go of the engine. Closing twice is fine. */
  close(): Promise<void>
}
