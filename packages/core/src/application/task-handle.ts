import type { JsonValue } from '../domain/json.ts'
import type { TaskDetails } from '../domain/task-details.ts'
import type { TaskEvent } from '../domain/task-event.ts'
import type { TaskId } from '../domain/task-id.ts'
import type { CallOptions } from '../ports/call-options.ts'
import { unsuccessful } from './node/errors.ts'
import type { TaskQueries, WaitOptions } from './queries/task-queries.ts'
import type { Cancellations, CancelOptions, CancelOutcome } from './commands/cancellations.ts'

/** One task, wherever the task runs. Making a handle reads nothing. */
export class TaskHandle<Result = JsonValue | undefined, Progress = JsonValue> {
  readonly id: TaskId
  readonly #queries: TaskQueries
  readonly #cancellations: Cancellations

  /** @internal */
  constructor(parts: { readonly id: TaskId; readonly queries: TaskQueries; readonly cancellations: Cancellations }) {
    this.id = parts.id
    this.#queries = parts.queries
    this.#cancellations = parts.cancellations
  }

  /**
   * Waits for the end of the task, and returns its result.
   *
   * @throws {@link TaskUnsuccessful} (`TASK_FAILED`, `TASK_CANCELLED`, `TASK_DIED`), `AWAIT_TIMEOUT`, `TASK_NOT_FOUND`, `CLOSED`, or
   * the signal's reason.
   */
  async result(options: WaitOptions = {}): Promise<Result> {
    const details = await this.#queries.finished(this.id, options)
    if (details.status !== 'completed') throw unsuccessful(details)
    return details.result as Result
  }

  /**
   * Waits for the end of the task, however it ends.
   *
   * @throws `AWAIT_TIMEOUT`, `TASK_NOT_FOUND`, `CLOSED`, or the signal's reason.
   */
  async finished(options: WaitOptions = {}): Promise<TaskDetails<Result, Progress>> {
    return typed(await this.#queries.finished(this.id, options))
  }

  /**
   * The details of the task now. They are read from its history, so they are never stale.
   *
   * @throws `TASK_NOT_FOUND`, `CLOSED`.
   */
  async details(options: CallOptions = {}): Promise<TaskDetails<Result, Progress>> {
    return typed(await this.#queries.details(this.id, options))
  }

  /**
   * The latest progress of the task; `undefined` if the task has reported none.
   *
   * @throws `TASK_NOT_FOUND`, `CLOSED`.
   */
  async progress(options: CallOptions = {}): Promise<Progress | undefined> {
    const { progress } = await this.details(options)
    return progress?.value
  }

  /**
   * All events of the task, in order.
   *
   * @throws `TASK_NOT_FOUND`, `CLOSED`.
   */
  history(options: CallOptions = {}): Promise<readonly TaskEvent[]> {
    return this.#queries.history(this.id, options)
  }

  /**
   * The details now and after each change, until the task ends. A slow reader skips changes: each read yields the latest details.
   *
   * @throws `TASK_NOT_FOUND`, `CLOSED`, or the signal's reason.
   */
  watch(options: CallOptions = {}): AsyncIterableIterator<TaskDetails<Result, Progress>> {
    return this.#queries.watch(this.id, options) as AsyncIterableIterator<TaskDetails<Result, Progress>>
  }

  /**
   * Requests the cancellation of the task. A waiting task is cancelled at once; the signal of a running task is aborted.
   *
   * @returns the outcome. A task that had ended before is unchanged, and the outcome says so.
   * @throws `TASK_NOT_FOUND`, `OUTCOME_UNKNOWN` (cancel again), `CLOSED`.
   */
  cancel(options: CancelOptions = {}): Promise<CancelOutcome<Result, Progress>> {
    return this.#cancellations.cancel(this.id, options) as Promise<CancelOutcome<Result, Progress>>
  }
}

/** Adds types that the history does not have: the caller named the task, and its schemas checked result and progress. */
const typed = <Result, Progress>(details: TaskDetails): TaskDetails<Result, Progress> => details as TaskDetails<Result, Progress>
