import type { TaskDetails } from '../../domain/task-details.ts'
import type { TaskCreated } from '../../domain/task-event.ts'
import type { TaskId } from '../../domain/task-id.ts'
import type { CancelSchedule } from '../../ports/clock.ts'
import type { WorkMessage } from '../../ports/work-queue.ts'
import type { NodeContext } from '../node/context.ts'
import type { Outbox } from './outbox.ts'

/** The longest payload that a message carries, in characters of its JSON: what is longer is read from the store. */
const longestCarried = 16 * 1024

interface Due {
  readonly cancel: CancelSchedule
  readonly sendNow: () => void
}

/** Sends tasks to their queues: at once, or when they are due. */
export class Sender {
  readonly #node: NodeContext
  readonly #outbox: Outbox
  readonly #due = new Map<TaskId, Due>()
  #isClosed = false

  constructor(parts: { readonly node: NodeContext; readonly outbox: Outbox }) {
    this.#node = parts.node
    this.#outbox = parts.outbox
  }

  /** Resolves once the message is sent, or its time was noted, or the outbox has it. */
  async send(details: TaskDetails, created?: TaskCreated): Promise<void> {
    const { taskId, dueAt = 0 } = details
    const waitMs = dueAt - this.#node.clock.now()
    if (waitMs <= 0) return this.#sendNow(details, created)
    this.forget(taskId)
    if (this.#isClosed) return
    const sendNow = (): void => void this.#sendNow(details, created)
    const cancel = this.#node.clock.schedule(waitMs, () => {
      this.#due.delete(taskId)
      sendNow()
    })
    this.#due.set(taskId, { cancel, sendNow })
  }

  /** The task is not waiting for its time any more. */
  forget(taskId: TaskId): void {
    this.#due.get(taskId)?.cancel()
    this.#due.delete(taskId)
  }

  /** Sends what is not due yet: whoever takes it waits for its time there. The outbox sees to it. */
  close(): void {
    this.#isClosed = true
    const due = [...this.#due.values()]
    this.#due.clear()
    for (const { cancel, sendNow } of due) {
      cancel()
      sendNow()
    }
  }

  #sendNow({ taskId, version, queue }: TaskDetails, created?: TaskCreated): Promise<void> {
    const message: WorkMessage = { taskId, version, sentAt: this.#node.clock.now(), ...(isCarried(created) ? { created } : {}) }
    return this.#outbox.deliver(`the message of task ${taskId}`, (signal) => this.#node.messaging.queue.send(queue, message, { signal }))
  }
}

const isCarried = (created: TaskCreated | undefined): created is TaskCreated =>
  created !== undefined && JSON.stringify(created.task.payload).length <= longestCarried
