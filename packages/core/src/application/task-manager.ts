import type { JsonValue } from '../domain/json.ts'
import type { TaskDetails } from '../domain/task-details.ts'
import type { TaskEvent } from '../domain/task-event.ts'
import type { TaskId } from '../domain/task-id.ts'
import { isTaskId } from '../domain/task-id.ts'
import type { CallOptions } from '../ports/call-options.ts'
import { callSafely } from '../ports/shared/call-safely.ts'
import type { ChecksOf } from '../ports/shared/check-options.ts'
import { checkOptions } from '../ports/shared/check-options.ts'
import { checkFunction, checkMs, checkWhole, hasMethods, shown, wrongOption } from '../ports/shared/checks.ts'
import { closedError, TaskledgerError } from '../ports/shared/errors.ts'
import type { TaskNotice, Unsubscribe } from '../ports/event-bus.ts'
import type { TaskPage } from '../ports/task-listing.ts'
import type { TaskDeclaration } from '../tasks/task-factory.ts'
import type { PayloadArguments, PayloadOf, ProgressOf, ResultOf } from '../tasks/typed-task.ts'
import type { Assembly } from './assembly.ts'
import type { Submitted } from './commands/submissions.ts'
import type { SubmitOptions } from './commands/submit-options.ts'
import type { NodeHealth } from './health/health.ts'
import { isBeat } from './membership/beat.ts'
import { callChecks, checkCall } from './node/checks.ts'
import { timeOf } from '../ports/shared/time.ts'
import type { NodeContext } from './node/context.ts'
import { allTasks } from './queries/all-tasks.ts'
import type { ListQuery, TaskQuery } from './queries/list-query.ts'
import type { LiveNode } from './queries/task-queries.ts'
import type { DeadLetters } from './recovery/dead-letters.ts'
import type { DoctorOptions, DoctorReport } from './recovery/doctor.ts'
import type { PurgeOutcome } from './recovery/purging.ts'
import type { RebuildOutcome } from './recovery/rebuilding.ts'
import type { HandleParts } from './task-handle.ts'
import { SubmittedTask, TaskHandle } from './task-handle.ts'
import type { TaskWorkerOptions } from './worker/settings.ts'
import type { TaskWorker } from './worker/worker.ts'

const closeChecks = { drainMs: checkMs }

const doctorChecks = {
  ...callChecks,
  limit: (name: string, value: unknown) => checkWhole(name, value, 1, 10_000),
} satisfies ChecksOf<DoctorOptions>

/**
 * One node of the cluster: it submits, lists, queries, cancels and awaits any task, wherever the task runs. Made by
 * {@link createTaskManager}.
 */
export class TaskManager {
  readonly #node: NodeContext
  readonly #assembly: Assembly
  #closed: Promise<void> | undefined

  /** @internal */
  constructor(assembly: Assembly) {
    this.#node = assembly.node
    this.#assembly = assembly
  }

  /** The id of this node: its name and a random part. */
  get nodeId(): string {
    return this.#node.nodeId
  }

  /** The worker of this node; `undefined` on a front-end. */
  get worker(): TaskWorker | undefined {
    return this.#assembly.worker.current
  }

  /** The messages that no worker could use: list, resend and remove them. */
  get deadLetters(): DeadLetters {
    return this.#assembly.deadLetters
  }

  /**
   * Submits a task. Resolves once the task is durable: from then on it cannot be lost.
   *
   * @throws `INVALID_PAYLOAD`, `NOT_JSON`, `TOO_LARGE`, `UNKNOWN_TASK_TYPE`, `IDEMPOTENCY_MISMATCH`, `CLOSED`: nothing was written.
   * `OUTCOME_UNKNOWN`: the task may exist or not; the error carries its id.
   */
  async submit<Task extends TaskDeclaration>(
    task: Task,
    ...[payload, options = {}]: PayloadArguments<Task, SubmitOptions>
  ): Promise<SubmittedTask<ResultOf<Task>, ProgressOf<Task>, PayloadOf<Task>>> {
    return this.#submitted(task, await this.#assembly.submissions.submitOne(task, payload, options))
  }

  /**
   * Submits many tasks of one type, 64 at a time. Every payload is checked before the first is written.
   *
   * @returns the handles, in the order of the payloads. Each of the tasks is new.
   * @throws as `submit` if a payload is refused; `SUBMIT_INCOMPLETE` if some tasks were not acknowledged: the error lists both groups.
   */
  async submitMany<Task extends TaskDeclaration>(
    task: Task,
    payloads: readonly PayloadOf<Task>[],
    options: Omit<SubmitOptions, 'idempotencyKey'> = {},
  ): Promise<readonly SubmittedTask<ResultOf<Task>, ProgressOf<Task>, PayloadOf<Task>>[]> {
    const submitted = await this.#assembly.submissions.submitMany(task, payloads, options)
    return submitted.map((each) => this.#submitted(task, each))
  }

  /**
   * The handle of a task. It reads nothing: a missing task, or a task of another type than the definition, shows when the handle is used.
   *
   * @throws `INVALID_TASK_ID` if the id is malformed.
   */
  task(id: string): TaskHandle<JsonValue | undefined, JsonValue, JsonValue>
  task<Task extends TaskDeclaration>(task: Task, id: string): TaskHandle<ResultOf<Task>, ProgressOf<Task>, PayloadOf<Task>>
  task(...given: readonly [string] | readonly [TaskDeclaration, string]): TaskHandle<never, never, never> {
    const [task, id]: readonly [TaskDeclaration | undefined, unknown] = given.length === 1 ? [undefined, given[0]] : given
    if (given.length > 1 && !hasMethods(task, ['encode']))
      throw wrongOption('the task of a handle', task, 'what defineTask or declareTask returns, or only the id')
    if (!isTaskId(id))
      throw new TaskledgerError('INVALID_TASK_ID', `the task id is ${shown(id)}: give a UUID in lower case, as submit returns it`)
    return new TaskHandle(this.#partsOf(task, id))
  }

  /**
   * A page of tasks, the newest first. The listing is a projection: it shows a change a moment after the change.
   *
   * @throws `INVALID_CURSOR`, `CLOSED`; `MISUSE` if the query is wrong.
   */
  async list(query: ListQuery = {}): Promise<TaskPage> {
    return this.#assembly.queries.list(query)
  }

  /**
   * All tasks that match, the newest first: every page of `list`, read while you iterate. Tasks submitted after the first page was read
   * are left out.
   *
   * @throws `CLOSED`, or the signal's reason; `MISUSE` if the query is wrong.
   */
  tasks(query: TaskQuery = {}): AsyncIterableIterator<TaskDetails> {
    return allTasks(query, (page) => this.list(page))
  }

  /**
   * All events of a task, in order.
   *
   * @throws `INVALID_TASK_ID`, `TASK_NOT_FOUND`, `CLOSED`.
   */
  async history(id: string, options: CallOptions = {}): Promise<readonly TaskEvent[]> {
    return this.task(id).history(options)
  }

  /**
   * The live nodes, as the node registry has them, and how old each entry is. A node whose entry cannot be read is left out; the log names it.
   *
   * @throws `CLOSED`.
   */
  async nodes(options: CallOptions = {}): Promise<readonly LiveNode[]> {
    return this.#assembly.queries.nodes(options)
  }

  /**
   * Calls back on every change of every task on every node, from now on. Notices may be lost: what the store says is right. What the
   * listener throws, and the rejection of a promise that it returns, are logged.
   */
  subscribe(listener: (notice: TaskNotice) => void): Unsubscribe {
    this.#node.closed.throwIfAborted()
    checkFunction('the listener of subscribe', listener)
    return this.#node.messaging.bus.subscribe((notice) => {
      if (isBeat(notice)) return
      callSafely(
        () => listener(notice),
        (error) => this.#node.logger.error({ err: error }, 'a listener of the event bus threw'),
      )
    })
  }

  /**
   * Makes this node run tasks.
   *
   * @throws `MISUSE` if this node has an open worker, or an option is wrong; `CLOSED`.
   */
  async attachWorker(options: TaskWorkerOptions = {}): Promise<TaskWorker> {
    this.#node.closed.throwIfAborted()
    if (this.#closed !== undefined) throw closedError('the task manager')
    const worker = this.#assembly.worker.attach(options)
    // Join first: another node that receives the message of a task that runs here checks whether this node is alive.
    await this.join()
    await worker.start()
    return worker
  }

  /**
   * Examines every unfinished task and reports stuck, orphaned, divergent and unreadable ones, each with the reason. It changes nothing.
   * Janitors repair what they can by themselves: a finding that is in two reports a minute apart needs an operator.
   *
   * @throws `UNAVAILABLE` or `OUTCOME_UNKNOWN` if storage fails; `CLOSED`, or the signal's reason.
   */
  async doctor(options: DoctorOptions = {}): Promise<DoctorReport> {
    this.#node.closed.throwIfAborted()
    const { limit = 100, signal } = checkOptions('doctor', options, doctorChecks)
    return this.#assembly.doctor.report(limit, signal)
  }

  /**
   * Rebuilds the listing from the histories, while the system runs: for a listing that was lost or damaged. It reads every history.
   *
   * @throws `UNAVAILABLE` or `OUTCOME_UNKNOWN` if storage fails (rebuild again: nothing is damaged); `CLOSED`, or the signal's reason.
   */
  async rebuildListing(options: CallOptions = {}): Promise<RebuildOutcome> {
    this.#node.closed.throwIfAborted()
    const { signal } = checkCall('rebuildListing', options)
    return this.#assembly.rebuilding.rebuild(signal)
  }

  /**
   * Removes the histories and rows of the tasks that finished before a time (a `Date`, milliseconds since 1970, or ISO text with its
   * zone). This cannot be undone. The idempotency key of a removed task may be used again.
   *
   * @throws `UNAVAILABLE` or `OUTCOME_UNKNOWN` if storage fails (purge again: removed tasks stay removed); `CLOSED`, or the
   * signal's reason.
   */
  async purge(options: { readonly finishedBefore: Date | number | string } & CallOptions): Promise<PurgeOutcome> {
    this.#node.closed.throwIfAborted()
    const { finishedBefore, signal } = checkOptions('purge', options, { ...callChecks, finishedBefore: timeOf })
    if (finishedBefore === undefined) throw wrongOption('finishedBefore', finishedBefore, 'the time before which removed tasks finished')
    return this.#assembly.purging.purge(finishedBefore, signal)
  }

  /** The health of this node: the latest result of each check. It calls no engine. */
  health(): NodeHealth {
    return this.#assembly.health.report()
  }

  /**
   * Registers this node as live. A node with a worker is registered when the worker is attached.
   *
   * @internal
   */
  async join(): Promise<void> {
    await this.#assembly.join()
  }

  /**
   * Shuts this node down in order: its worker takes no more tasks, waits for the running ones for `drainMs`, then aborts and releases them;
   * pending awaits reject with `CLOSED`; storage and messaging are closed. It does not throw because of a task. Closing twice is fine.
   */
  async close(options: { readonly drainMs?: number | undefined } = {}): Promise<void> {
    const checked = checkOptions('close', options, closeChecks)
    this.#closed ??= this.#assembly.close(checked)
    await this.#closed
  }

  /** Closes this node: for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #submitted<Task extends TaskDeclaration>(
    task: Task,
    { taskId, isNew }: Submitted,
  ): SubmittedTask<ResultOf<Task>, ProgressOf<Task>, PayloadOf<Task>> {
    return new SubmittedTask(this.#partsOf(task, taskId), isNew)
  }

  #partsOf(task: TaskDeclaration | undefined, id: TaskId): HandleParts {
    const { queries, cancellations } = this.#assembly
    return { id, task, queries, cancellations }
  }
}
