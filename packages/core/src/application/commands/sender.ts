import type { TaskDetails } from '../../domain/task-details.ts'
import type { TaskCreated } from '../../domain/task-event.ts'
import type { TaskId } from '../../domain/task-id.ts'
import type { CancelSchedule } from '../../ports/shared/clock.ts'
import type { WorkMessage } from '../../ports/work-queue.ts'
import type { NodeContext } from '../node/context.ts'
import type { Outbox } from './outbox.ts'

/** The maximum payload in a message, in characters of its JSON. A worker reads a longer payload from the store. */
const maxCarriedCharacters = 16 * 1024

interface Due {
  readonly cancel: CancelSchedule
  readonly sendNow: () => void
}

/** Sends the messages of tasks to their queues: at once, or when they are due. */
export class Sender {
  readonly #node: NodeContext
  readonly #outbox: Outbox
  readonly #due = new Map<TaskId, Due>()
  #isClosed = false

  constructor(parts: { readonly node: NodeContext; readonly outbox: Outbox }) {
    this.#node = parts.node
    this.#outbox = parts.outbox
  }

  /** Resolves once the message is sent or scheduled, or the outbox retries it. */
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

  /** Cancels the scheduled message of a task. */
  forget(taskId: TaskId): void {
    this.#due.get(taskId)?.cancel()
    this.#due.delete(taskId)
  }

  /** Sends the scheduled messages now, through the outbox: a node that receives such a message schedules it again. */
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
    return this.#outbox.deliver({ action: 'send a message', taskId }, (signal) =>
      this.#node.messaging.queue.send(queue, message, { signal }),
    )
  }
}

const isCarried = (created: TaskCreated | undefined): created is TaskCreated =>
  created !== undefined && JSON.stringify(created.task.payload).length <= maxCarriedCharacters
