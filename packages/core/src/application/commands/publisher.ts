import type { TaskEvent } from '../../domain/task-event.ts'
import { statusAfter } from '../../domain/task-event.ts'
import type { TaskDetails } from '../../domain/task-details.ts'
import type { TaskId } from '../../domain/task-id.ts'
import type { TaskNotice } from '../../ports/event-bus.ts'
import type { Aggregate } from './aggregate.ts'
import { fold, noTask } from './aggregate.ts'
import type { NodeContext } from '../node/context.ts'
import type { NodeListener } from '../node/listener.ts'
import type { Outbox } from './outbox.ts'

/** Publishes written events: the row in the listing, and a notice to every node. */
export class Publisher {
  readonly #node: NodeContext
  readonly #outbox: Outbox
  readonly #listener: NodeListener

  constructor(parts: { readonly node: NodeContext; readonly outbox: Outbox; readonly listener: NodeListener }) {
    this.#node = parts.node
    this.#outbox = parts.outbox
    this.#listener = parts.listener
  }

  /** Resolves once row and notices are published, or the outbox retries them. */
  async publish({ details }: Aggregate, events: readonly TaskEvent[]): Promise<void> {
    if (details === undefined || events.length === 0) return
    await Promise.all([this.saveRow(details), this.announce(details.taskId, events)])
  }

  /** Publishes the last event again: after a lost answer, for example, a node has written the end of a task and not published it. */
  async publishEnd(aggregate: Aggregate): Promise<void> {
    const { last } = aggregate
    if (last !== undefined) await this.publish(aggregate, [last])
  }

  /** Resolves once the row is saved, or the outbox retries it. A row may have a large result, so a retry reads the history again. */
  saveRow(details: TaskDetails): Promise<void> {
    const { taskId } = details
    return this.#outbox.deliver({ action: 'save a row', taskId }, (signal) => this.saveRowNow(details, signal), this.#readAndSave(taskId))
  }

  /** Saves a row in one try, and rejects on a failure. */
  async saveRowNow(details: TaskDetails, signal: AbortSignal): Promise<void> {
    await this.#node.storage.listing.save(details, { signal })
    this.#listener.rowSaved(details)
  }

  #readAndSave(taskId: TaskId): (signal: AbortSignal) => Promise<void> {
    return async (signal) => {
      const { details } = fold(noTask, await this.#node.storage.events.read(taskId, { signal }))
      // Without a history the task was purged meanwhile.
      if (details !== undefined) await this.saveRowNow(details, signal)
    }
  }

  /** Publishes notices. A lost notice only delays its receivers; a failed call is retried. */
  announce(taskId: TaskId, events: readonly TaskEvent[]): Promise<void> {
    const notices = events.map(noticeOf)
    return this.#outbox.deliver({ action: 'publish a notice', taskId }, (signal) => this.#node.messaging.bus.publish(notices, { signal }))
  }
}

const noticeOf = (event: TaskEvent): TaskNotice => ({
  taskId: event.taskId,
  version: event.version,
  type: event.type,
  status: statusAfter(event),
  node: event.node,
})
