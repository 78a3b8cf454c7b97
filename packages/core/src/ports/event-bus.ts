import type { TaskEvent } from '../domain/task-event.ts'
import type { TaskId } from '../domain/task-id.ts'
import type { TaskStatus } from '../domain/task-status.ts'
import type { CallOptions } from './call-options.ts'
import type { EventBusCapabilities } from './capabilities.ts'

/** A hint that a task has changed. The event store has the truth. */
export interface TaskNotice {
  readonly taskId: TaskId
  /** The version of the history after the change. */
  readonly version: number
  /** The event; or `TaskProgress` for a report of progress, which is not an event. */
  readonly type: TaskEvent['type'] | 'TaskProgress'
  /** The status after the change. */
  readonly status: TaskStatus
  /** The node that made the change. */
  readonly node: string
}

/** Ends a subscription. Ending it twice is fine. */
export type Unsubscribe = () => void

/**
 * Tells every node what happened.
 *
 * **You have to** deliver each notice to every connected client, the sender included (EB-1.1), in the order in which one sender published them
 * (EB-1.2); go on if a listener throws (EB-1.3); call the gap listeners whenever notices may have been lost, once listening works again (EB-2.1):
 * after every reconnection, and after this client stood still (EB-2.3); reconnect by yourself, for ever, also where a connection is silent and this
 * client publishes nothing (EB-F.1 to F.6); skip a notice that you cannot decode (EB-2.2).
 *
 * **You may assume** that a lost notice only causes a delay: every waiter also reads the store.
 *
 * **Not your job:** replay for late listeners, durability, exactly-once delivery.
 *
 * **Fails with** `UNAVAILABLE` or `OUTCOME_UNKNOWN` if `publish` may have reached no node; `CLOSED` after `close`.
 */
export interface EventBus {
  readonly capabilities: EventBusCapabilities

  /** Sends the notices to every node, to each at most once. */
  publish(notices: readonly TaskNotice[], options?: CallOptions): Promise<void>

  /** Calls the listener for every notice from now on. */
  subscribe(listener: (notice: TaskNotice) => void): Unsubscribe

  /** Calls the listener when notices may have been missed. */
  onGap(listener: () => void): Unsubscribe

  /**
   * Releases the engine; no listener is called any more.
   * A call under way ends soon, with its result, `CLOSED` or `OUTCOME_UNKNOWN` (EB-T.7, T.8). Closing twice is fine.
   */
  close(): Promise<void>
}
