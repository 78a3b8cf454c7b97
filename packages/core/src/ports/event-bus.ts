import type { TaskEvent } from '../domain/task-event.ts'
import type { TaskId } from '../domain/task-id.ts'
import type { TaskStatus } from '../domain/task-status.ts'
import type { CallOptions } from './call-options.ts'
import type { EventBusCapabilities } from './capabilities.ts'

/** Says that something happened to a task: where to look, not what is true. */
export interface TaskNotice {
  readonly taskId: TaskId
  /** The version of the history after it. */
  readonly version: number
  /** The event, or `TaskProgress` for a report of progress, which is none. */
  readonly type: TaskEvent['type'] | 'TaskProgress'
  /** The status after it. */
  readonly status: TaskStatus
  /** The node on which it happened. */
  readonly node: string
}

/** Ends a subscription. Ending it twice is fine. */
export type Unsubscribe = () => void

/**
 * Tells every node what happened.
 *
 * **You have to** hand each notice to every client that is connected, the sender included (EB-1.1), in the order in which
 * one sender published them (EB-1.2); go on where a listener throws (EB-1.3); call the gap listeners after every connection
 * that followed a lost one, once listening works again (EB-2.1); skip what you cannot decode (EB-2.2).
 *
 * **You may assume** that a lost notice does no harm beyond a delay: whoever waits also looks at the store.
 *
 * **Not your job:** replay for late listeners, durability, exactly once.
 *
 * **Fails with** `UNAVAILABLE` or `OUTCOME_UNKNOWN` where `publish` may have reached nobody; `CLOSED` after `close`.
 */
export interface EventBus {
  readonly capabilities: EventBusCapabilities

  /** Tells every node. At most once to each. */
  publish(notices: readonly TaskNotice[], options?: CallOptions): Promise<void>

  /** Hears every notice from now on. */
  subscribe(listener: (notice: TaskNotice) => void): Unsubscribe

  /** Hears that notices may have been missed. */
  onGap(listener: () => void): Unsubscribe

  /** Lets go of the engine; listeners hear nothing more. Closing twice is fine. */
  close(): Promise<void>
}
