import type { JsonValue } from '../domain/json.ts'
import type { TaskDetails } from '../domain/task-details.ts'
import type { TaskEvent } from '../domain/task-event.ts'
import type { TaskId } from '../domain/task-id.ts'
import type { CallOptions } from '../ports/call-options.ts'
import { restoredPayload } from '../tasks/restored-payload.ts'
import type { TaskDeclaration } from '../tasks/task-factory.ts'
import type { AskedTask } from './node/asked-task.ts'
import { unsuccessful } from './node/errors.ts'
import type { TaskQueries, WaitOptions } from './queries/task-queries.ts'
import type { Cancellations, CancelOptions, CancelOutcome } from './commands/cancellations.ts'

/** What a handle is made of. */
export interface HandleParts {
  readonly id: TaskId
  /** The definition that the caller takes the task for; `undefined`: any. */
  readonly task: TaskDeclaration | undefined
  readonly queries: TaskQueries
  readonly cancellations: Cancellations
}

/**
 * One task, wherever the task runs. Making a handle reads nothing. If the handle was made with a definition and the task has another type,
 * every call rejects with `TYPE_MISMATCH` and does nothing.
 */
export class TaskHandle<Result = JsonValue | undefined, Progress = JsonValue, Payload = unknown> {
  readonly id: TaskId
  readonly #asked: AskedTask
  readonly #task: TaskDeclaration | undefined
  readonly #queries: TaskQueries
  readonly #cancellations: Cancellations

  /** @internal */
  constructor(parts: HandleParts) {
    this.id = parts.id
    this.#task = parts.task
    this.#asked = { taskId: parts.id, type: parts.task?.type }
    this.#queries = parts.queries
    this.#cancellations = parts.cancellations
  }

  /**
   * Waits for the end of the task, and returns its result.
   *
   * @throws {@link TaskUnsuccessful} (`TASK_FAILED`, `TASK_CANCELLED`, `TASK_DIED`), `AWAIT_TIMEOUT`, `TASK_NOT_FOUND`,
   * `TYPE_MISMATCH`, `CLOSED`, or the signal's reason.
   */
  async result(options: WaitOptions = {}): Promise<Result> {
    const details = await this.#queries.finished(this.#asked, options)
    if (details.status !== 'completed') throw unsuccessful(details)
    return details.result as Result
  }

  /**
   * Waits for the end of the task, however it ends.
   *
   * @throws `AWAIT_TIMEOUT`, `TASK_NOT_FOUND`, `TYPE_MISMATCH`, `CLOSED`, or the signal's reason.
   */
  async finished(options: WaitOptions = {}): Promise<TaskDetails<Result, Progress>> {
    return typed(await this.#queries.finished(this.#asked, options))
  }

  /**
   * The details of the task now. They are read from its history, so they are never stale.
   *
   * @throws `TASK_NOT_FOUND`, `TYPE_MISMATCH`, `CLOSED`.
   */
  async details(options: CallOptions = {}): Promise<TaskDetails<Result, Progress>> {
    return typed(await this.#queries.details(this.#asked, options))
  }

  /**
   * The payload as it was submitted, brought to the version of the definition: one read of the history. Without a definition, as it is stored.
   *
   * @throws `TASK_NOT_FOUND`, `TYPE_MISMATCH`, `CLOSED`; `UNKNOWN_TASK_VERSION` or `INVALID_PAYLOAD` if the definition cannot read it.
   */
  async payload(options: CallOptions = {}): Promise<Payload> {
    const encoded = await this.#queries.encoded(this.#asked, options)
    return (this.#task === undefined ? encoded.payload : await restoredPayload(this.#task, encoded)) as Payload
  }

  /**
   * The latest progress of the task; `undefined` if the task has reported none.
   *
   * @throws `TASK_NOT_FOUND`, `TYPE_MISMATCH`, `CLOSED`.
   */
  async progress(options: CallOptions = {}): Promise<Progress | undefined> {
    const { progress } = await this.details(options)
    return progress?.value
  }

  /**
   * All events of the task, in order.
   *
   * @throws `TASK_NOT_FOUND`, `TYPE_MISMATCH`, `CLOSED`.
   */
  history(options: CallOptions = {}): Promise<readonly TaskEvent[]> {
    return this.#queries.history(this.#asked, options)
  }

  /**
   * The details now and after each change, until the task ends. A slow reader skips changes: each read yields the latest details.
   *
   * @throws `TASK_NOT_FOUND`, `TYPE_MISMATCH`, `CLOSED`, or the signal's reason.
   */
  watch(options: CallOptions = {}): AsyncIterableIterator<TaskDetails<Result, Progress>> {
    return this.#queries.watch(this.#asked, options) as AsyncIterableIterator<TaskDetails<Result, Progress>>
  }

  /**
   * Requests the cancellation of the task. A waiting task is cancelled at once; the signal of a running task is aborted.
   *
   * @returns the outcome. A task that had ended before is unchanged, and the outcome says so.
   * @throws `TASK_NOT_FOUND`, `TYPE_MISMATCH`, `OUTCOME_UNKNOWN` (cancel again), `CLOSED`.
   */
  cancel(options: CancelOptions = {}): Promise<CancelOutcome<Result, Progress>> {
    return this.#cancellations.cancel(this.#asked, options) as Promise<CancelOutcome<Result, Progress>>
  }
}

/** The handle that a submit returns. */
export class SubmittedTask<Result = JsonValue | undefined, Progress = JsonValue, Payload = unknown> extends TaskHandle<
  Result,
  Progress,
  Payload
> {
  /**
   * Whether this submit created the task. False if a task with its idempotency key existed before: that task may be running, or may have
   * ended, also in a failure.
   */
  readonly isNew: boolean

  /** @internal */
  constructor(parts: HandleParts, isNew: boolean) {
    super(parts)
    this.isNew = isNew
  }
}

/** Adds types that the history does not have: the caller named the task, and its schemas checked result and progress. */
const typed = <Result, Progress>(details: TaskDetails): TaskDetails<Result, Progress> => details as TaskDetails<Result, Progress>
