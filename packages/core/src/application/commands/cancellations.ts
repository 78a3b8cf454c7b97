import type { TaskDetails } from '../../domain/task-details.ts'
import type { TaskId } from '../../domain/task-id.ts'
import { isFinalStatus } from '../../domain/task-status.ts'
import type { CallOptions } from '../../ports/call-options.ts'
import { TaskNotFound } from '../node/errors.ts'
import type { EventSourcing } from './event-sourcing.ts'
import type { NodeContext } from '../node/context.ts'
import { commandBase } from '../node/context.ts'
import { checkText } from '../../ports/checks.ts'
import type { Publisher } from './publisher.ts'

/** Who wishes a task to end, and why. */
export interface CancelOptions extends CallOptions {
  /** Told to the task, and kept in its history; up to 1,000 characters. */
  readonly reason?: string
  /** Who wishes it. Default: this node. */
  readonly by?: string
}

/** What came of a wish to cancel. */
export interface CancelOutcome {
  /**
   * `cancelled`: the task is cancelled. `requested`: it runs, and its node is told. `finished`: it had ended before, and
   * nothing was changed.
   */
  readonly outcome: 'cancelled' | 'requested' | 'finished'
  /** The task as it stands after the wish. */
  readonly details: TaskDetails
}

/** Writes down the wish that a task should end. */
export class Cancellations {
  readonly #node: NodeContext
  readonly #eventSourcing: EventSourcing
  readonly #publisher: Publisher

  constructor(parts: { readonly node: NodeContext; readonly eventSourcing: EventSourcing; readonly publisher: Publisher }) {
    this.#node = parts.node
    this.#eventSourcing = parts.eventSourcing
    this.#publisher = parts.publisher
  }

  async cancel(taskId: TaskId, { reason, by, signal }: CancelOptions): Promise<CancelOutcome> {
    this.#node.closed.throwIfAborted()
    if (reason !== undefined) checkText('reason', reason, 1_000)
    if (by !== undefined) checkText('by', by, 200)
    const { refused, aggregate } = await this.#eventSourcing.dispatch(
      {
        type: 'RequestCancel',
        ...commandBase(this.#node, taskId),
        by: by ?? this.#node.nodeId,
        ...(reason === undefined ? {} : { reason }),
      },
      { persistence: { forMs: this.#node.commandTimeoutMs, signal } },
    )
    const { details } = aggregate
    if (details === undefined) throw new TaskNotFound(taskId)
    // A cancellation whose answer was lost left row and notice behind.
    if (refused === 'finished') await this.#publisher.publishEnd(aggregate)
    if (details.status === 'cancelled') return { outcome: 'cancelled', details }
    return { outcome: isFinalStatus(details.status) ? 'finished' : 'requested', details }
  }
}
