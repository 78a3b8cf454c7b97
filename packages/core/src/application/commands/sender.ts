import type { TaskDetails } from '../../domain/task-details.ts'
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
type Unsent = Pick<TaskDetails, 'taskId' | 'version' | 'queue'>

interface Delayed {
  readonly unsent: Unsent
  readonly cancel: CancelSchedule
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
  async send({ taskId, version, queue, dueAt = 0 }: TaskDetails, created?: TaskCreated): Promise<void> {
    const unsent: Unsent = { taskId, version, queue }
    const waitMs = dueAt - this.#node.clock.now()
    if (waitMs <= 0) return this.#sendNow(unsent, created)
    this.forget(taskId)
    if (!this.#isClosed) this.#delay(unsent, waitMs)
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

  async #deliver({ taskId, version, queue }: Unsent, first: Pick<WorkMessage, 'created'>, signal: AbortSignal): Promise<void> {
    try {
      await this.#node.messaging.queue.send(queue, { taskId, version, sentAt: this.#node.clock.now(), ...first }, { signal })
    } catch (error) {
      this.#listener.messageSent(queue, error)
      throw error
    }
    this.#listener.messageSent(queue)
  }
}

const isCarried = (created: TaskCreated | undefined): created is TaskCreated =>
  created !== undefined && JSON.stringify(created.task.payload).length <= maxCarriedCharacters
