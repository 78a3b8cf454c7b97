import type { JsonValue } from '../domain/json.ts'
import type { TaskDetails } from '../domain/task-details.ts'
import type { TaskEvent } from '../domain/task-event.ts'
import type { TaskId } from '../domain/task-id.ts'
import type { CallOptions } from '../ports/call-options.ts'
import { unsuccessful } from './node/errors.ts'
import type { TaskQueries, WaitOptions } from './queries/task-queries.ts'
import type { Cancellations, CancelOptions, CancelOutcome } from './commands/cancellations.ts'

/** One task, wherever it runs. Making a handle reads nothing. */
export class TaskHandle<Result = JsonValue | undefined, Progress = JsonValue> {
  readonly id: TaskId
  readonly #queries: TaskQueries
  readonly #cancellations: Cancellations

  /** @internal */
  constructor(id: TaskId, queries: TaskQueries, cancellations: Cancellations) {
    this.id = id
    this.#queries = queries
    this.#cancellations = cancellations
  }

  /**
   * Waits for the end of the task and gives its result.
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
   * What there is to know about the task now: its history is read, so this is never stale.
   *
   * @throws `TASK_NOT_FOUND`, `CLOSED`.
   */
  async details(options: CallOptions = {}): Promise<TaskDetails<Result, Progress>> {
    return typed(await this.#queries.details(this.id, options))
  }

  /**
   * How far the task has come, or nothing where it has not said so.
   *
   * @throws `TASK_NOT_FOUND`, `CLOSED`.
   */
  async progress(options: CallOptions = {}): Promise<Progress | undefined> {
    const { progress } = await this.details(options)
    return progress?.value
  }

  /**
   * Everything that happened to the task, in order.
   *
   * @throws `TASK_NOT_FOUND`, `CLOSED`.
   */
  history(options: CallOptions = {}): Promise<readonly TaskEvent[]> {
    return this.#queries.history(this.id, options)
  }

  /**
   * The details now and after each change, to the end of the task. Changes that come faster than they are taken are
   * drawn together: what is given is always the latest.
   *
   * @throws `TASK_NOT_FOUND`, `CLOSED`, or the signal's reason.
   */
  watch(options: CallOptions = {}): AsyncIterableIterator<TaskDetails<Result, Progress>> {
    return this.#queries.watch(this.id, options) as AsyncIterableIterator<TaskDetails<Result, Progress>>
  }

  /**
   * Wishes the task to end. A waiting task is cancelled at once; the signal of a running one is aborted.
   *
   * @returns what came of it; a task that had ended before is left as it is, and the outcome says so.
   * @throws `TASK_NOT_FOUND`, `OUTCOME_UNKNOWN` (cancel again), `CLOSED`.
   */
  cancel(options: CancelOptions = {}): Promise<CancelOutcome<Result, Progress>> {
    return this.#cancellations.cancel(this.id, options) as Promise<CancelOutcome<Result, Progress>>
  }
}

/** The history says nothing of these types: the caller named the task, and its schemas checked result and progress. */
const typed = <Result, Progress>(details: TaskDetails): TaskDetails<Result, Progress> => details as TaskDetails<Result, Progress>
