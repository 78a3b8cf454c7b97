import type { TaskDetails } from '../../domain/task-details.ts'
import { isFinalStatus } from '../../domain/task-status.ts'
import type { CallOptions } from '../../ports/call-options.ts'
import type { AskedTask } from '../node/asked-task.ts'
import { checkType } from '../node/asked-task.ts'
import { TaskNotFound } from '../node/errors.ts'
import type { Persistence } from '../node/retrying.ts'
import { noTask } from './aggregate.ts'
import type { EventSourcing } from './event-sourcing.ts'
import type { NodeContext } from '../node/context.ts'
import { commandBase } from '../node/context.ts'
import type { ChecksOf } from '../../ports/shared/check-options.ts'
import { checkOptions } from '../../ports/shared/check-options.ts'
import { checkText } from '../../ports/shared/checks.ts'
import { callChecks } from '../node/checks.ts'
import type { Publisher } from './publisher.ts'

/** Who requests a cancellation, and why. */
export interface CancelOptions extends CallOptions {
  /** The reason: the task receives it, and the history keeps it. 1 to 1,000 characters. */
  readonly reason?: string | undefined
  /** Who requests the cancellation, 1 to 200 characters. Default: the id of this node. */
  readonly by?: string | undefined
}

/** The outcome of a cancel. */
export interface CancelOutcome<Result = unknown, Progress = unknown> {
  /**
   * `cancelled`: the task is cancelled. `requested`: the task is running, and its node aborts it. `finished`: the task had ended before,
   * and is unchanged.
   */
  readonly outcome: 'cancelled' | 'requested' | 'finished'
  /** The task after the cancel. */
  readonly details: TaskDetails<Result, Progress>
}

const cancelChecks = {
  ...callChecks,
  reason: (name: string, value: unknown) => checkText(name, value, 1_000),
  by: (name: string, value: unknown) => checkText(name, value, 200),
} satisfies ChecksOf<CancelOptions>

/** Cancels tasks: writes the request into the history. */
export class Cancellations {
  readonly #node: NodeContext
  readonly #eventSourcing: EventSourcing
  readonly #publisher: Publisher

  constructor(parts: { readonly node: NodeContext; readonly eventSourcing: EventSourcing; readonly publisher: Publisher }) {
    this.#node = parts.node
    this.#eventSourcing = parts.eventSourcing
    this.#publisher = parts.publisher
  }

  async cancel(task: AskedTask, options: CancelOptions): Promise<CancelOutcome> {
    this.#node.closed.throwIfAborted()
    const { taskId } = task
    const { reason, by, signal } = checkOptions('cancel', options, cancelChecks)
    const persistence: Persistence = { forMs: this.#node.commandTimeoutMs, signal }
    const known = await this.#eventSourcing.load(taskId, noTask, persistence)
    // Before anything is written. The type of a task id never changes.
    checkType(task, known.created)
    const { refused, aggregate } = await this.#eventSourcing.dispatch(
      {
        type: 'RequestCancel',
        ...commandBase(this.#node, taskId),
        by: by ?? this.#node.nodeId,
        ...(reason === undefined ? {} : { reason }),
      },
      { known, isFresh: true, persistence },
    )
    const { details } = aggregate
    // Another history: the task was removed meanwhile, and its idempotency key is used again.
    if (details === undefined || refused === 'otherHistory') throw new TaskNotFound(taskId)
    // An earlier cancel may have been written without row and notice, if its answer was lost.
    if (refused === 'finished') await this.#publisher.publishEnd(aggregate)
    if (details.status === 'cancelled') return { outcome: 'cancelled', details }
    return { outcome: isFinalStatus(details.status) ? 'finished' : 'requested', details }
  }
}
