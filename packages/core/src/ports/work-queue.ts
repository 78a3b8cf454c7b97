import type { TaskCreated } from '../domain/task-event.ts'
import type { TaskId } from '../domain/task-id.ts'
import type { CallOptions } from './call-options.ts'
import type { WorkQueueCapabilities } from './capabilities.ts'

/** The message that a task waits to be run. */
export interface WorkMessage {
  readonly taskId: TaskId
  /** The version of the history that the sender has read. */
  readonly version: number
  /** When the task was created: with an idempotency key, the same id may be used again after a purge. Releases before this field do not tell. */
  readonly createdAt?: number
  /** When it was sent, in milliseconds since 1970, by the clock of the node that sent it. */
  readonly sentAt: number
  /** The node that sent it. */
  readonly sentBy?: string
  /**
   * How long after it was sent the task becomes due, in milliseconds: its sender closed before that. Absent if the task was due when the
   * message was sent.
   */
  readonly dueInMs?: number
  /** The first event, if it is small: it saves the worker a read. Only a hint: the store decides what runs. */
  readonly created?: TaskCreated
}

/** How a message is released. */
export interface ReleaseOptions {
  /** How long no consumer gets the message, in milliseconds. Default 0. */
  readonly delayMs?: number
  /** Whether `releases` counts it. Default true. False if the consumer could use the message, but not now. */
  readonly isCounted?: boolean
}

/**
 * One message, handed to one consumer. It is settled once, by `accept`, `release` or `reject`: the first call decides, and a later one
 * changes nothing, also if the first one failed. A handler that ends or throws without settling has released it.
 *
 * If the consumer is lost before (its process, its connection, its lease), then the message is delivered again. From then on settlements of
 * the old delivery change nothing, whoever has the message now.
 */
export interface Delivery {
  readonly message: WorkMessage
  /**
   * True if a handler had the message before, on this client or another one, however that delivery ended: released, counted or not, left
   * unsettled, or lost with its consumer. May be true if the engine handed the message to a client and no handler began. Otherwise
   * false, also after the resend of a dead letter.
   */
  readonly redelivered: boolean
  /**
   * How often the message was released before: by `release`, unless `isCounted` was false, and by a handler that ended or threw without
   * settling. A dead consumer, a lost connection or lease, and a consumer that closes release nothing.
   */
  readonly releases: number
  /**
   * The task is claimed, or needs no run: never deliver the message again. The promise of the handler settles later, when the run has
   * ended.
   *
   * When to acknowledge it to the engine: with `parallel`, at any time until the handler has ended. With `serial`, when the handler has
   * ended and not before: if the turn is lost meanwhile, the next client has to get this message first, because core then waits until the
   * run is over.
   *
   * If it rejects, the handler goes on, with its slot and its turn. With `UNAVAILABLE` the message is delivered again, with
   * `OUTCOME_UNKNOWN` it is or is not. Neither ends the run: core accepts only what is written in the history.
   */
  accept(): Promise<void>
  /**
   * Another consumer may take the message. It is then marked as redelivered, whether the release counts or not. If it rejects, the message
   * is delivered again all the same, sooner or later.
   */
  release(options?: ReleaseOptions): Promise<void>
  /** No consumer can use the message: dead-letter it, together with `why`. If it rejects, the message is a dead letter or delivered again. */
  reject(why: string): Promise<void>
}

/** `parallel`: competing consumers. `serial`: one message of the queue at a time among all consumers of all clients. */
export type ConsumeMode = 'parallel' | 'serial'

/**
 * How a consumer takes messages. The `signal` ends the call of `consume` and nothing else: once `consume` has resolved, the consumer
 * lives until it is closed. A call that has rejected leaves no consumer and begins no handler.
 */
export interface ConsumeOptions extends CallOptions {
  /** The maximum of handlers that run at a time, 0 or more. With `serial`, more than 1 counts as 1. */
  readonly slots: number
  readonly mode: ConsumeMode
}

/** Takes messages from a queue. */
export interface Consumer {
  /** Changes the number of slots; with 0 the consumer takes no more messages. Running handlers go on. */
  resize(slots: number): void
  /**
   * Takes no more messages, and gives back those whose handler has not begun. Running handlers go on and may settle. Resolves when they have
   * ended, without a limit of its own: core limits the wait. What a handler has not settled goes back to the head of the queue,
   * uncounted. Only then does the turn of a serial queue move on. Closing twice is fine.
   */
  close(): Promise<void>
}

/**
 * A message that no consumer could use, while the dead letters of its queue are iterated. It is settled once, by `resend` or `remove`; a
 * second settlement changes nothing. A letter that is not settled stays.
 */
export interface DeadLetter {
  /** Names the letter among those of its queue for as long as it is kept. Equal copies of a message may share an id. */
  readonly id: string
  /** The text of the message, at most its first 16,384 characters. */
  readonly text: string
  /** The message; absent if it cannot be decoded. */
  readonly message?: WorkMessage
  /** Why it was dead-lettered; absent if the engine did it without a reason. */
  readonly why?: string
  /** When it was dead-lettered, in milliseconds since 1970; absent if the engine does not say. */
  readonly deadAt?: number
  /** How often it was released before. */
  readonly releases: number
  /**
   * Sends the message to its queue again, unchanged and without its releases, and then removes the letter. Between the two the engine
   * may have both: after a failure either of them, or both, are there.
   */
  resend(): Promise<void>
  /** Removes the letter. Its message is gone. */
  remove(): Promise<void>
}

/**
 * Carries tasks to workers, in named queues.
 *
 * **You have to** resolve `send` only when the message is as durable as `capabilities.durability` says (WQ-1.3); hand each message to one
 * consumer (WQ-1.1), and deliver first in, first out if there is one consumer (WQ-1.2); never run more handlers than there are slots
 * (WQ-2.1), and with `serial` never more than one among all clients, with a takeover when the holder is gone (WQ-2.3, 2.4), in which the
 * message of the lost turn comes before all others (WQ-2.4, 2.6, 2.9, 2.10); redeliver a message if its consumer died or stood still before
 * it settled (WQ-3.1, 3.11), or if the handler ended or threw without settling (WQ-3.5); leave message and turn to a handler that runs,
 * however long it runs, and renew their leases (WQ-3.9, 3.10, 3.13); bound every settlement (WQ-3.12); dead-letter a message that you
 * cannot decode, and go on (WQ-4.1); keep each dead letter until it is settled, also if its reader dies (WQ-9.1 to 9.7); reconnect by
 * yourself after any fault (WQ-6.1); count in `depth` every message that no consumer has taken (WQ-8.1).
 *
 * The order matters: core detects lost messages by it. If a queue has delivered a message that was sent well after a task became due
 * (`sentAt`) and the task still waits, then core takes the message of the task for lost and sends it again. So a queue delivers first in,
 * first out by `sentAt`; a queue with priorities would make messages look lost that still wait.
 *
 * **You may assume** that duplicates are harmless, and that several consumers may receive messages slightly out of order; that all
 * consumers of a queue have the same mode.
 *
 * **Not your job:** knowing whether a task still has to run; limits on attempts; ending a handler, also one whose message another client
 * has now.
 *
 * **Fails with** `OUTCOME_UNKNOWN` if the message may have been sent or not; `UNAVAILABLE` if it was not sent; `TOO_LARGE` if the engine
 * does not take it; `CLOSED` after `close`.
 */
export interface WorkQueue {
  readonly capabilities: WorkQueueCapabilities

  /** Sends a message. The first use of a name creates its queue. */
  send(queue: string, message: WorkMessage, options?: CallOptions): Promise<void>

  /** Takes messages of a queue until the consumer or the port is closed. The handler's promise settles when the run has ended. */
  consume(queue: string, handler: (delivery: Delivery) => Promise<void>, options: ConsumeOptions): Promise<Consumer>

  /**
   * How many messages wait for a consumer. Messages that a handler has are not counted; messages that were released with a delay may be left
   * out until the delay is over. 0 for a queue whose name was never used. May be a moment old.
   */
  depth(queue: string, options?: CallOptions): Promise<number>

  /**
   * The dead letters of a queue, the oldest first. Letters that come or are settled meanwhile may be among them or not; so may letters that
   * another client is reading. None for a queue whose name was never used. An iteration that ends, for whatever reason, leaves the letters
   * that it has not settled.
   */
  deadLetters(queue: string, options?: CallOptions): AsyncIterable<DeadLetter>

  /**
   * Closes every consumer as {@link Consumer.close} does, so it waits for the handlers that run; then it releases the engine.
   * A call under way ends soon, with its result, `CLOSED` or `OUTCOME_UNKNOWN` (WQ-T.7, T.8). Closing twice is fine.
   */
  close(): Promise<void>
}
