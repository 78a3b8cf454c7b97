import type { TaskEvent } from '../domain/task-event.ts'
import type { TaskId } from '../domain/task-id.ts'
import { isTaskId } from '../domain/task-id.ts'
import { isFinalStatus } from '../domain/task-status.ts'
import type { CallOptions } from '../ports/call-options.ts'
import { closedError, misuse, TaskledgerError } from '../ports/errors.ts'
import type { TaskNotice, Unsubscribe } from '../ports/event-bus.ts'
import type { NodeInfo } from '../ports/node-registry.ts'
import type { TaskPage } from '../ports/task-listing.ts'
import type { PayloadArguments, PayloadOf, ProgressOf, ResultOf } from '../tasks/typed-task.ts'
import type { TaskDeclaration } from '../tasks/task-factory.ts'
import type { TaskRegistry } from '../tasks/task-registry.ts'
import { Awaiting } from './queries/awaiting.ts'
import { Cancellations } from './commands/cancellations.ts'
import type { DoctorOptions, DoctorReport } from './recovery/doctor.ts'
import { Doctor } from './recovery/doctor.ts'
import { SubmitIncomplete } from './node/errors.ts'
import { EventSourcing } from './commands/event-sourcing.ts'
import type { NodeHealth } from './health/health.ts'
import { Check } from './health/health.ts'
import type { JanitorSettings } from './recovery/settings.ts'
import { Janitor } from './recovery/janitor.ts'
import type { LeaseState } from './node/lease.ts'
import { closedWithin } from './node/closing.ts'
import type { ListQuery } from './queries/list-query.ts'
import { filterOf, limitOf } from './queries/list-query.ts'
import { Membership } from './membership/membership.ts'
import type { NodeContext } from './node/context.ts'
import { NodeWatch } from './membership/node-watch.ts'
import { checkMs, checkWhole } from '../ports/checks.ts'
import { timeOf } from './node/checks.ts'
import type { TaskWorkerOptions } from './worker/settings.ts'
import { workerSettings } from './worker/settings.ts'
import { Outbox } from './commands/outbox.ts'
import { persist } from './node/retrying.ts'
import { Publisher } from './commands/publisher.ts'
import { isBeat, Pulse } from './health/probe.ts'
import type { PurgeOutcome } from './recovery/purging.ts'
import { Purging } from './recovery/purging.ts'
import { QueueHorizons } from './recovery/queue-horizons.ts'
import type { RebuildOutcome } from './recovery/rebuilding.ts'
import { Rebuilding } from './recovery/rebuilding.ts'
import { Recovery } from './recovery/recovery.ts'
import { Sender } from './commands/sender.ts'
import type { Prepared, SubmitOptions } from './commands/submissions.ts'
import { Submissions } from './commands/submissions.ts'
import { TaskHandle } from './task-handle.ts'
import type { TaskIds } from './commands/task-ids.ts'
import { TaskQueries } from './queries/task-queries.ts'
import { TaskWorker } from './worker/worker.ts'

/** How many submits of a `submitMany` are under way at a time. */
const submitWindow = 64

/** How long closing waits for rows and notices that could not be written before, in milliseconds. */
const outboxMs = 5_000

/** What a manager is made of. @internal */
export interface ManagerParts {
  readonly node: NodeContext
  readonly name: string
  readonly registry: TaskRegistry
  readonly ids: TaskIds
  readonly maxPayloadBytes: number
  readonly janitor: JanitorSettings
  readonly abortClosed: (reason: Error) => void
}

/** One node of the cluster: submits, lists, queries, cancels and awaits any task, wherever it runs. Made by {@link createTaskManager}. */
export class TaskManager {
  readonly #node: NodeContext
  readonly #name: string
  readonly #registry: TaskRegistry
  readonly #outbox: Outbox
  readonly #sender: Sender
  readonly #publisher: Publisher
  readonly #eventSourcing: EventSourcing
  readonly #submissions: Submissions
  readonly #cancellations: Cancellations
  readonly #awaiting: Awaiting
  readonly #queries: TaskQueries
  readonly #membership: Membership
  readonly #watch: NodeWatch
  readonly #recovery: Recovery
  readonly #purging: Purging
  readonly #janitor: Janitor
  readonly #doctor: Doctor
  readonly #pulse: Pulse
  readonly #leaseCheck: Check
  readonly #startedAt: number
  readonly #abortClosed: (reason: Error) => void
  readonly #unsubscribes: readonly Unsubscribe[]
  #worker: TaskWorker | undefined
  #closed: Promise<void> | undefined

  /** @internal */
  constructor(parts: ManagerParts) {
    const { node, registry, ids, maxPayloadBytes } = parts
    this.#node = node
    this.#name = parts.name
    this.#registry = registry
    this.#abortClosed = parts.abortClosed
    this.#startedAt = node.clock.now()
    this.#outbox = new Outbox(node)
    this.#sender = new Sender(node, this.#outbox)
    const publisher = new Publisher(node, this.#outbox, (row) => this.#janitor.noteSaved(row))
    this.#publisher = publisher
    this.#eventSourcing = new EventSourcing(node, publisher)
    this.#submissions = new Submissions({
      node,
      eventSourcing: this.#eventSourcing,
      publisher,
      sender: this.#sender,
      registry,
      ids,
      maxPayloadBytes,
    })
    this.#cancellations = new Cancellations(node, this.#eventSourcing, publisher)
    this.#awaiting = new Awaiting(node)
    this.#queries = new TaskQueries(node, this.#awaiting)
    const { overdueMs } = parts.janitor
    const hurry = (): void => this.#janitor.hurry()
    this.#watch = new NodeWatch(node, hurry, hurry)
    const watch = this.#watch
    const horizons = new QueueHorizons(node)
    this.#recovery = new Recovery({ node, eventSourcing: this.#eventSourcing, publisher, sender: this.#sender, watch, horizons, overdueMs })
    const recovery = this.#recovery
    this.#purging = new Purging(node)
    this.#janitor = new Janitor({ node, settings: parts.janitor, registry, watch, horizons, recovery, purging: this.#purging })
    this.#doctor = new Doctor({ node, watch, horizons: new QueueHorizons(node), recovery, overdueMs })
    this.#pulse = new Pulse(node, () => this.#worker)
    this.#leaseCheck = new Check(node.clock, 'the node did not join yet')
    this.#membership = new Membership(node, {
      info: () => this.#info(),
      renewed: () => this.#renewed(),
      failed: (error) => this.#notRenewed(error),
      changed: (state) => this.#heedLease(state),
    })
    const { bus } = node.messaging
    this.#unsubscribes = [bus.subscribe((notice) => this.#hear(notice)), bus.onGap(() => this.#heedGap())]
  }

  /** The id of this node: its name and a random part. */
  get nodeId(): string {
    return this.#node.nodeId
  }

  /** The worker of this node; nothing on a front-end. */
  get worker(): TaskWorker | undefined {
    return this.#worker
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
  ): Promise<TaskHandle<ResultOf<Task>, ProgressOf<Task>>> {
    const prepared = await this.#submissions.prepare(task, payload, options)
    return this.task(task, await this.#submissions.submit(prepared, options.signal))
  }

  /**
   * Submits many tasks of one type, 64 at a time. Every payload is checked before the first is written.
   *
   * @returns the handles, in the order of the payloads.
   * @throws as `submit` where a payload is refused; `SUBMIT_INCOMPLETE`, which names both, where some were not acknowledged.
   */
  async submitMany<Task extends TaskDeclaration>(
    task: Task,
    payloads: readonly PayloadOf<Task>[],
    options: Omit<SubmitOptions, 'idempotencyKey'> = {},
  ): Promise<readonly TaskHandle<ResultOf<Task>, ProgressOf<Task>>[]> {
    const prepared: readonly Prepared[] = await Promise.all(payloads.map((payload) => this.#submissions.prepare(task, payload, options)))
    const failures: { index: number; error: unknown }[] = []
    const submitted: TaskId[] = []
    let next = 0
    const submitRest = async (): Promise<void> => {
      for (let index = next++; index < prepared.length; index = next++) {
        try {
          submitted[index] = await this.#submissions.submit(prepared[index] as Prepared, options.signal)
        } catch (error) {
          failures.push({ index, error })
        }
      }
    }
    await Promise.all(Array.from({ length: submitWindow }, submitRest))
    if (failures.length > 0) throw new SubmitIncomplete(submitted.filter(isTaskId), failures)
    return submitted.map((taskId) => this.task(task, taskId))
  }

  /**
   * The handle of a task. Nothing is read: whether the task exists shows when the handle is used.
   *
   * @throws `INVALID_TASK_ID` where the id is malformed.
   */
  task(id: string): TaskHandle
  task<Task extends TaskDeclaration>(task: Task, id: string): TaskHandle<ResultOf<Task>, ProgressOf<Task>>
  task(...given: readonly [string] | readonly [TaskDeclaration, string]): TaskHandle<never, never> {
    const id: unknown = given.length === 1 ? given[0] : given[1]
    if (!isTaskId(id))
      throw new TaskledgerError('INVALID_TASK_ID', `${JSON.stringify(id)} is no task id: give a UUID in lower case, as submit returns it`)
    return new TaskHandle(id, this.#queries, this.#cancellations)
  }

  /**
   * A page of tasks, the newest first. The list is a projection: what just happened is in it within a moment.
   *
   * @throws `INVALID_CURSOR`, `CLOSED`; a TypeError where the query makes no sense.
   */
  async list(query: ListQuery = {}): Promise<TaskPage> {
    this.#node.closed.throwIfAborted()
    const filter = filterOf(query)
    const limit = limitOf(query)
    if (filter.statuses?.length === 0) return { tasks: [] }
    const { cursor, signal } = query
    return persist(this.#node, { forMs: this.#node.commandTimeoutMs, signal }, (bound) =>
      this.#node.storage.listing.list(filter, { limit, signal: bound, ...(cursor === undefined ? {} : { cursor }) }),
    )
  }

  /**
   * Everything that happened to a task, in order.
   *
   * @throws `INVALID_TASK_ID`, `TASK_NOT_FOUND`, `CLOSED`.
   */
  async history(id: string, options: CallOptions = {}): Promise<readonly TaskEvent[]> {
    return this.task(id).history(options)
  }

  /**
   * The nodes that are alive, as far as is known.
   *
   * @throws `CLOSED`.
   */
  async nodes({ signal }: CallOptions = {}): Promise<readonly NodeInfo[]> {
    this.#node.closed.throwIfAborted()
    return persist(this.#node, { forMs: this.#node.commandTimeoutMs, signal }, (bound) => this.#node.storage.nodes.live({ signal: bound }))
  }

  /** Hears what happens to any task on any node, from now on. Notices may be lost: the store says what is true. */
  subscribe(listener: (notice: TaskNotice) => void): Unsubscribe {
    this.#node.closed.throwIfAborted()
    return this.#node.messaging.bus.subscribe((notice) => {
      if (!isBeat(notice)) listener(notice)
    })
  }

  /**
   * Lets this node run tasks.
   *
   * @throws TypeError where it has a worker already, unless that was closed; `CLOSED`.
   */
  async attachWorker(options: TaskWorkerOptions = {}): Promise<TaskWorker> {
    this.#node.closed.throwIfAborted()
    if (this.#closed !== undefined) throw closedError('the task manager')
    if (this.#worker !== undefined && this.#worker.status !== 'closed')
      throw misuse('this node has a worker already: close it first, or pause and resume it')
    const worker = this.#makeWorker(options)
    // Before it takes anything: whoever is handed what it runs asks whether it is alive.
    await this.join()
    await worker.start()
    return worker
  }

  /**
   * Looks at every unfinished task and says what is wrong with it: tasks that are stuck, orphaned, listed otherwise than their
   * histories say, or unreadable, each with the reason. It changes nothing: what can be mended the janitors mend by themselves,
   * so what stands in two reports a minute apart wants somebody to look.
   *
   * @throws `UNAVAILABLE` or `OUTCOME_UNKNOWN` where storage fails; `CLOSED`, or the signal's reason.
   */
  async doctor({ limit = 100, signal }: DoctorOptions = {}): Promise<DoctorReport> {
    this.#node.closed.throwIfAborted()
    return this.#doctor.report(checkWhole('limit', limit, 1, 10_000), signal)
  }

  /**
   * Makes the listing anew from the histories, while the system runs: for a listing that was lost, or that a bug has spoiled. It
   * reads every history there is.
   *
   * @throws `UNAVAILABLE` or `OUTCOME_UNKNOWN` where storage fails (begin again: nothing is spoiled); `CLOSED`, or the signal's reason.
   */
  async rebuildListing({ signal }: CallOptions = {}): Promise<RebuildOutcome> {
    this.#node.closed.throwIfAborted()
    return new Rebuilding(this.#node, this.#publisher).rebuild(signal)
  }

  /**
   * Removes the tasks that finished before a time (a `Date`, or milliseconds since 1970): their histories and their rows, for good.
   * An idempotency key whose task is removed may be used anew.
   *
   * @throws `UNAVAILABLE` or `OUTCOME_UNKNOWN` where storage fails (purge again); `CLOSED`, or the signal's reason; what was removed stays so.
   */
  async purge({ finishedBefore, signal }: { readonly finishedBefore: Date | number } & CallOptions): Promise<PurgeOutcome> {
    this.#node.closed.throwIfAborted()
    return this.#purging.purge(timeOf('finishedBefore', finishedBefore), signal)
  }

  /** How this node does: what it was last seen to be able to do, and since when. Nothing is asked now. */
  health(): NodeHealth {
    // Reckoned now, even if no timer has told it yet.
    this.#checkLease()
    const checks = { lease: this.#leaseCheck.state, store: this.#pulse.store.state, bus: this.#pulse.bus.state }
    const hasWorker = this.#worker !== undefined && this.#worker.status !== 'closed'
    const all = hasWorker ? { ...checks, consuming: this.#pulse.consuming.state } : checks
    return { ok: Object.values(all).every(({ ok }) => ok), ...all, unreadable: this.#recovery.unreadable.count }
  }

  /**
   * Shows this node among the live ones. A node with a worker is shown when that is attached.
   *
   * @internal
   */
  async join(): Promise<void> {
    await this.#membership.join()
    this.#janitor.start()
  }

  #makeWorker(options: TaskWorkerOptions): TaskWorker {
    const settings = workerSettings(options, this.#registry)
    this.#worker = new TaskWorker(this.#node, this.#eventSourcing, this.#publisher, this.#sender, this.#registry, settings)
    return this.#worker
  }

  /**
   * Shuts the node down in order: its worker stops taking tasks, waits for those that run, hands back those that take
   * too long; whoever still waits is told `CLOSED`; storage and messaging are closed. Never throws because of a task;
   * closing twice is fine.
   */
  async close(options: { readonly drainMs?: number } = {}): Promise<void> {
    if (options.drainMs !== undefined) checkMs('drainMs', options.drainMs)
    this.#closed ??= this.#close(options)
    await this.#closed
  }

  /** Closes the node: for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(options: { readonly drainMs?: number }): Promise<void> {
    const reason = closedError('the task manager')
    try {
      await this.#worker?.close(options)
    } catch (error) {
      this.#node.logger.error({ err: error }, 'the worker could not be closed in order; the rest is closed all the same')
    }
    await this.#janitor.stop()
    this.#sender.close()
    const cancel = this.#node.clock.schedule(outboxMs, () => this.#abortClosed(reason))
    await this.#outbox.settled()
    cancel()
    this.#watch.stop()
    await this.#membership.leave()
    this.#abortClosed(reason)
    for (const unsubscribe of this.#unsubscribes) unsubscribe()
    this.#node.deadlines.close(reason)
    const { messaging, storage } = this.#node
    const closings = await Promise.allSettled([messaging, storage].map((bundle) => closedWithin(this.#node, bundle)))
    for (const closing of closings) if (closing.status === 'rejected') throw closing.reason
  }

  #hear(notice: TaskNotice): void {
    if (isBeat(notice)) return this.#pulse.hear(notice)
    this.#worker?.hear(notice)
    if (isFinalStatus(notice.status)) this.#sender.forget(notice.taskId)
    this.#awaiting.hear(notice)
  }

  #heedGap(): void {
    this.#recovery.noteGap()
    this.#worker?.lookAtAll()
    this.#awaiting.wakeAll()
  }

  #renewed(): void {
    this.#checkLease()
    this.#worker?.lookAtAll()
    void this.#watch.look()
    void this.#pulse.beat()
  }

  #notRenewed(error: unknown): void {
    this.#watch.lostSight()
    this.#checkLease(error)
    void this.#pulse.beat()
  }

  #heedLease(state: LeaseState): void {
    const { logger } = this.#node
    if (state === 'held') logger.info({}, 'the node holds its lease and takes tasks')
    else if (state === 'doubtful') logger.warn({}, 'the lease of the node is in doubt: it takes no more tasks until it could renew itself')
    else
      logger.error({ running: this.#worker?.running.length ?? 0 }, 'the node has lost its lease: what it runs is stopped and handed back')
    this.#checkLease()
    this.#worker?.heedLease(state)
  }

  #checkLease(error?: unknown): void {
    const { state } = this.#node.lease
    if (state === 'held') this.#leaseCheck.good()
    else this.#leaseCheck.bad(`the lease is ${state}: the node could not renew itself`, error)
  }

  #info(): NodeInfo {
    return {
      nodeId: this.#node.nodeId,
      name: this.#name,
      startedAt: this.#startedAt,
      renewedAt: this.#node.clock.now(),
      queues: this.#worker?.slots ?? {},
      running: this.#worker?.running.length ?? 0,
      delivered: { ...this.#worker?.delivered },
    }
  }
}
