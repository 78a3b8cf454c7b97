import type { TaskCreated } from '../domain/task-event.ts'
import type { TaskId } from '../domain/task-id.ts'
import type { CallOptions } from './call-options.ts'
import type { WorkQueueCapabilities } from './capabilities.ts'

/** Says that a task waits to be run. */
export interface WorkMessage {
  readonly taskId: TaskId
  /** The version of the history that the sender knew. */
  readonly version: number
  /** When it was sent, in milliseconds since 1970. */
  readonly sentAt: number
  /** The first event, where it is small: it spares the worker a read. */
  readonly created?: TaskCreated
}

/** One message, handed to one consumer. Settle it once, by one of the three; settling it again changes nothing. */
export interface Delivery {
  readonly message: WorkMessage
  /** Whether it may have been delivered before. */
  readonly redelivered: boolean
  /** How often it was released before. */
  readonly releases: number
  /**
   * The task is claimed, or needs no run: never deliver the message again. You decide when the engine's acknowledgement is
   * due; the promise of the handler ends with the run.
   */
  accept(): Promise<void>
  /** Somebody else may take it, after `delayMs` milliseconds (default 0). */
  release(options?: { readonly delayMs?: number }): Promise<void>
  /** Nobody can use it: put it with the dead letters, and `why` with it. */
  reject(why: string): Promise<void>
}

/** `parallel`: competing consumers. `serial`: one message of the queue at a time among all consumers of all clients. */
export type ConsumeMode = 'parallel' | 'serial'

/** How messages are taken. */
export interface ConsumeOptions extends CallOptions {
  /** How many handlers may run at a time, 0 or more. With `serial` it counts as at most 1. */
  readonly slots: number
  readonly mode: ConsumeMode
}

/** One who takes messages from a queue. */
export interface Consumer {
  /** Changes the number of slots: 0 takes no more. What runs goes on. */
  resize(slots: number): void
  /** Takes no more deliveries and resolves when the handlers that run have ended. Closing twice is fine. */
  close(): Promise<void>
}

/**
 * Carries tasks to workers, in named queues.
 *
 * **You have to** resolve `send` only when the message is as durable as `capabilities.durability` says (WQ-1.3); hand each
 * message to one consumer (WQ-1.1), first in first out where there is one consumer (WQ-1.2); never run more handlers than
 * there are slots (WQ-2.1), and with `serial` never more than one among all clients, taken over when the holder is gone
 * (WQ-2.3, 2.4); deliver a message again whose consumer went before it settled (WQ-3.1), or whose handler ended or threw
 * without settling (WQ-3.5); put what you cannot decode with the dead letters and go on (WQ-4.1); take up again by yourself after
 * any fault (WQ-6.1); count in `depth` every message that nobody has taken (WQ-8.1).
 *
 * **You may assume** that duplicates do no harm, and neither does reordering among several consumers.
 *
 * **Not your job:** knowing whether a task still has to run; limits on attempts.
 *
 * **Fails with** `OUTCOME_UNKNOWN` where a message may have been sent or not; `UNAVAILABLE` where it was not; `TOO_LARGE` where
 * the engine does not take it; `CLOSED` after `close`.
 */
export interface WorkQueue {
  readonly capabilities: WorkQueueCapabilities

  /** Sends a message. A queue comes into being when it is first named. */
  send(queue: string, message: WorkMessage, options?: CallOptions): Promise<void>

  /** Takes messages of a queue until the consumer or the port is closed. The handler's promise ends with the run. */
  consume(queue: string, handler: (delivery: Delivery) => Promise<void>, options: ConsumeOptions): Promise<Consumer>

  /**
   * How many messages wait to be handed out: not those that are being handled; those that were released with a delay may be
   * left out until it is over. 0 for a queue that nobody named before. May lag a moment behind.
   */
  depth(queue: string, options?: CallOptions): Promise<number>

  /** Closes every consumer, waits for their handlers, and lets go of the engine. Closing twice is fine. */
  close(): Promise<void>
}
