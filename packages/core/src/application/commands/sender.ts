import type { TaskDetails } from '../../domain/task-details.ts'
import { writerOf } from '../../domain/task-details.ts'
import type { TaskCreated } from '../../domain/task-event.ts'
import type { TaskId } from '../../domain/task-id.ts'
import type { CancelSchedule } from '../../ports/shared/clock.ts'
import type { WorkMessage } from '../../ports/work-queue.ts'
import type { NodeContext } from '../node/context.ts'
import type { NodeListener } from '../node/listener.ts'
import type { Outbox } from './outbox.ts'

/** The maximum payload in a message, in characters of its JSON. A worker reads a longer payload from the store. */
const maxCarriedCharacters = 16 * 1024

/**
 * What a message needs of its task. It has no payload and no details: a task may wait for years, so 100,000 delayed tasks must not hold
 * more memory than their ids. The worker reads the payload of a delayed task from the store.
 */
interface Unsent extends Pick<TaskDetails, 'taskId' | 'version' | 'queue' | 'createdAt'> {
  /** When the task becomes due, by `clock.elapsed()`. */
  readonly dueAt: number
}

interface Delayed {
  readonly unsent: Unsent
  readonly cancel: CancelSchedule
}

/** What is known of a task beside its details. */
export interface SendOptions {
  /** The first event, if the message may carry it. */
  readonly created?: TaskCreated | undefined
  /** How long until the task is due, in milliseconds. Default: by the times in the details. */
  readonly dueInMs?: number | undefined
}

/** Sends the messages of tasks to their queues: at once, or when they are due. */
export class Sender {
  readonly #node: NodeContext
  readonly #outbox: Outbox
  readonly #delayed = new Map<TaskId, Delayed>()
  readonly #listener: NodeListener
  #isClosed = false

  constructor(parts: { readonly node: NodeContext; readonly outbox: Outbox; readonly listener: NodeListener }) {
    this.#node = parts.node
    this.#outbox = parts.outbox
    this.#listener = parts.listener
  }

  /** Resolves once the message is sent or scheduled, or the outbox retries it. */
  async send(details: TaskDetails, { created, dueInMs = this.#dueInMs(details) }: SendOptions = {}): Promise<void> {
    const { taskId, version, queue, createdAt } = details
    const unsent: Unsent = { taskId, version, queue, createdAt, dueAt: this.#node.clock.elapsed() + dueInMs }
    if (dueInMs <= 0) return this.#sendNow(unsent, created)
    this.forget(taskId)
    if (!this.#isClosed) this.#delay(unsent, dueInMs)
  }

  /** Sends a message again when its task is due: it came before that. */
  async postpone(details: TaskDetails, message: WorkMessage): Promise<void> {
    const { dueInMs, sentAt, sentBy = '' } = message
    if (dueInMs === undefined || !isOfVersion(message, details)) return this.send(details)
    const { clock, clocks } = this.#node
    const ageMs = clocks.knows(sentBy) ? clock.elapsed() - clocks.elapsedAt(sentAt, sentBy) : 0
    return this.send(details, { dueInMs: dueInMs - Math.max(ageMs, 0) })
  }

  /** When the scheduled message of this version of a task is sent, by `clock.elapsed()`; Infinity if none is scheduled. */
  scheduledAt({ taskId, version }: TaskDetails): number {
    const unsent = this.#delayed.get(taskId)?.unsent
    return unsent?.version === version ? unsent.dueAt : Infinity
  }

  /** Cancels the scheduled message of a task. */
  forget(taskId: TaskId): void {
    this.#delayed.get(taskId)?.cancel()
    this.#delayed.delete(taskId)
  }

  /** Sends the scheduled messages now, through the outbox: a node that receives such a message schedules it again. */
  close(): void {
    this.#isClosed = true
    const delayed = [...this.#delayed.values()]
    this.#delayed.clear()
    for (const { unsent, cancel } of delayed) {
      cancel()
      void this.#sendNow(unsent)
    }
  }

  /** By the clock of the node that set the due time. If that clock is not known, the whole delay counts from now. */
  #dueInMs(details: TaskDetails): number {
    const { clock, clocks } = this.#node
    const { dueAt, updatedAt } = details
    if (dueAt === undefined) return 0
    return clocks.knows(writerOf(details)) ? clocks.elapsedAt(dueAt, writerOf(details), updatedAt) - clock.elapsed() : dueAt - updatedAt
  }

  #delay(unsent: Unsent, waitMs: number): void {
    const cancel = this.#node.clock.schedule(waitMs, () => {
      this.#delayed.delete(unsent.taskId)
      void this.#sendNow(unsent)
    })
    this.#delayed.set(unsent.taskId, { unsent, cancel })
  }

  /** The first message carries a small payload. A retry may wait long, so it carries none. */
  #sendNow(unsent: Unsent, created?: TaskCreated): Promise<void> {
    const { taskId, queue } = unsent
    const first = isCarried(created) ? { created } : {}
    return this.#outbox.deliver(
      { action: 'send a message', taskId, queue },
      (signal) => this.#deliver(unsent, first, signal),
      this.#retryOf(unsent),
    )
  }

  #retryOf(unsent: Unsent): (signal: AbortSignal) => Promise<void> {
    return (signal) => this.#deliver(unsent, {}, signal)
  }

  async #deliver(
    { taskId, version, createdAt, queue, dueAt }: Unsent,
    first: Pick<WorkMessage, 'created'>,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, nodeId, messaging } = this.#node
    const dueInMs = Math.ceil(dueAt - clock.elapsed())
    const early = dueInMs > 0 ? { dueInMs } : {}
    try {
      await messaging.queue.send(queue, { taskId, version, createdAt, sentAt: clock.now(), sentBy: nodeId, ...early, ...first }, { signal })
    } catch (error) {
      this.#listener.messageSent(queue, error)
      throw error
    }
    this.#listener.messageSent(queue)
  }
}

/** Whether a message was sent for this version of the task, and not for that of an earlier task of the same id. */
export const isOfVersion = ({ version, createdAt }: WorkMessage, details: TaskDetails): boolean =>
  version === details.version && (createdAt === undefined || createdAt === details.createdAt)

const isCarried = (created: TaskCreated | undefined): created is TaskCreated =>
  created !== undefined && JSON.stringify(created.task.payload).length <= maxCarriedCharacters
