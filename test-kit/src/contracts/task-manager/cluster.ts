import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import type { JanitorOptions, JsonValue, LeaseOptions, TaskHandle, TaskManager, TaskWorkerOptions } from '@taskledger/core'
import { createTaskManager } from '@taskledger/core'
import type { Logger, TaskDeclaration } from '@taskledger/core'
import type { TaskDetails, TaskEvent, TaskId, WorkMessage } from '@taskledger/core/ports'
import { detailsOf } from '@taskledger/core/ports'
import { checkHistory } from '@taskledger/core/testing'
import type { Rule, RuleContext } from '../../rule.ts'
import type { Adapters } from './adapters.ts'
import type { HeldOptions, HeldRun, HeldTask } from './held-task.ts'
import { heldTask } from './held-task.ts'
import { Interference } from './interference.ts'
import { interferedMessaging, interferedStorage } from './interfered-adapters.ts'

/** One node, and what can be made to come between it and its adapters. */
export interface ClusterNode {
  readonly manager: TaskManager
  readonly interference: Interference
}

export interface NodeOptions {
  readonly tasks: readonly TaskDeclaration[]
  /** Default: four slots for each queue that the tasks name. */
  readonly worker?: TaskWorkerOptions | false
  readonly commandTimeoutMs?: number
  /** Default: so long that no rule that is about something else meets its end. */
  readonly lease?: LeaseOptions
  readonly janitor?: JanitorOptions
}

interface Logged {
  readonly node: string
  readonly level: 'warn' | 'error'
  readonly message: string
  readonly fields: object
}

/** Short where a default would make a rule wait. */
const workerDefaults: TaskWorkerOptions = { drainMs: 0, progressIntervalMs: 10, unknownTasks: { retryDelayMs: 10, maxReleases: 5 } }

/** The nodes that a rule works with, and what it can see of them from outside. */
export class Cluster {
  readonly #context: RuleContext<Adapters>
  readonly #nodes: ClusterNode[] = []
  readonly #held: HeldTask[] = []
  readonly #logged: Logged[] = []
  readonly #written = new Set<TaskId>()
  readonly #forgotten = new Set<TaskId>()
  readonly #clients = new Map<ClusterNode, Adapters>()
  #unusedPort: Adapters | undefined
  #outside: Promise<Adapters> | undefined

  constructor(context: RuleContext<Adapters>) {
    this.#context = context
    this.#unusedPort = context.port
  }

  /** Opens a node on a client of its own. */
  async node({ worker = {}, ...options }: NodeOptions): Promise<ClusterNode> {
    const client = await this.#client()
    const { storage, messaging } = client
    const interference = new Interference()
    const name = `node-${this.#nodes.length + 1}`
    const manager = await createTaskManager({
      ...options,
      name,
      logger: this.#loggerOf(name),
      storage: interferedStorage(storage, interference),
      messaging: interferedMessaging(messaging, interference),
      worker:
        worker === false
          ? false
          : { ...workerDefaults, ...worker, unknownTasks: { ...workerDefaults.unknownTasks, ...worker?.unknownTasks } },
    })
    const node = { manager, interference }
    this.#nodes.push(node)
    this.#clients.set(node, client)
    return node
  }

  /**
   * As if the process of a node had been killed: what it was handling is for others, it hears nothing more, and whatever it
   * still does changes nothing. It takes no leave.
   */
  async kill(node: ClusterNode): Promise<void> {
    node.interference.isDeafTo = () => true
    node.interference.loseDeliveries()
    const client = this.#clients.get(node)
    if (client !== undefined) await this.#context.within('the clients of the killed node are gone', client.close())
  }

  /** Opens so many nodes that are alike. */
  async nodes(count: 2, options: NodeOptions): Promise<[ClusterNode, ClusterNode]>
  async nodes(count: 3, options: NodeOptions): Promise<[ClusterNode, ClusterNode, ClusterNode]>
  async nodes(count: number, options: NodeOptions): Promise<ClusterNode[]> {
    const nodes: ClusterNode[] = []
    while (nodes.length < count) nodes.push(await this.node(options))
    return nodes
  }

  /** A kind of task whose bodies run until the rule, or the end of it, says how they end. */
  held(options?: HeldOptions): HeldTask {
    const held = heldTask(options)
    this.#held.push(held)
    return held
  }

  /** Waits until the condition holds. */
  until(sentence: string, condition: () => Promise<boolean>): Promise<void> {
    return this.#context.waitUntil(sentence, condition)
  }

  /** Submits a held task and waits until its body runs. */
  async start(held: HeldTask, { manager }: ClusterNode, payload: JsonValue = null): Promise<[TaskHandle<unknown, unknown>, HeldRun]> {
    const handle = await manager.submit(held.task, payload)
    return [handle, await this.running(held, handle)]
  }

  /** Waits until the body of a held task runs. */
  async running(held: HeldTask, { id }: { readonly id: TaskId }, attempt = 1): Promise<HeldRun> {
    let run: HeldRun | undefined
    await this.#context.waitUntil(`attempt ${attempt} of task ${id} runs`, () => (run = held.find(id, attempt)) !== undefined)
    assert.ok(run !== undefined)
    return run
  }

  /** Waits for the end of a task, bounded. */
  finished({ id }: { readonly id: TaskId }, on: ClusterNode): Promise<TaskDetails> {
    return this.#context.within(`task ${id} ended`, on.manager.task(id).finished())
  }

  /**
   * Waits for the end of many tasks. However long all of them take, one after the other has to end: an engine may be slow, and
   * must not stand still.
   */
  async allFinished<Outcome>(ends: readonly Promise<Outcome>[]): Promise<readonly Outcome[]> {
    let ended = 0
    const all = Promise.all(ends.map((end) => end.finally(() => ended++)))
    // It is awaited below, in whatever order they end.
    all.catch(() => {})
    while (ended < ends.length) {
      const before = ended
      await Promise.race([all, this.#context.waitUntil(`another one of ${ends.length} tasks ended, after ${before}`, () => ended > before)])
    }
    return all
  }

  /** Waits until a task has a status. */
  async status({ id }: { readonly id: TaskId }, status: TaskDetails['status'], on: ClusterNode): Promise<void> {
    const hasStatus = async (): Promise<boolean> => (await on.manager.task(id).details()).status === status
    await this.#context.waitUntil(`task ${id} is ${status}`, hasStatus)
  }

  /** A client that belongs to no node: what the store itself says. */
  outside(): Promise<Adapters> {
    this.#outside ??= this.#client()
    return this.#outside
  }

  /** Writes an event into a history behind the backs of all nodes. */
  async write(taskId: TaskId, event: WrittenEvent): Promise<TaskEvent> {
    const { storage } = await this.outside()
    const { length } = await storage.events.read(taskId)
    const base = { taskId, version: length + 1, eventId: `outside-${taskId}-${length + 1}`, at: Date.now(), node: 'outside' }
    const written = { ...base, ...event } as TaskEvent
    await storage.events.append(taskId, length, [written])
    return written
  }

  /** Sends a message behind the backs of all nodes. */
  async send(message: Pick<WorkMessage, 'taskId'> & Partial<WorkMessage>, queue = 'default'): Promise<void> {
    const { messaging } = await this.outside()
    await messaging.queue.send(queue, { version: 1, sentAt: Date.now(), ...message })
  }

  /** Waits until the row of a task says what its details say. */
  async rowIs(details: TaskDetails, { manager }: ClusterNode): Promise<void> {
    await this.#context.waitUntil(`the row of task ${details.taskId} says what its history says`, async () => {
      const { tasks } = await manager.list({ since: details.createdAt, until: details.createdAt + 1, limit: 1_000 })
      return isDeepStrictEqual(
        tasks.find(({ taskId }) => taskId === details.taskId),
        details,
      )
    })
  }

  /** Every row that there is. */
  async listed({ manager }: ClusterNode): Promise<readonly TaskDetails[]> {
    const rows: TaskDetails[] = []
    for await (const row of manager.tasks()) rows.push(row)
    return rows
  }

  /** Every history that a node tried to write to, by task. */
  async histories(): Promise<ReadonlyMap<TaskId, readonly TaskEvent[]>> {
    const { storage } = await this.outside()
    for (const { interference } of this.#nodes) for (const taskId of interference.written) this.#written.add(taskId)
    const taskIds = [...this.#written].filter((taskId) => !this.#forgotten.has(taskId))
    const histories = await Promise.all(taskIds.map((taskId) => storage.events.read(taskId)))
    return new Map(taskIds.map((taskId, index) => [taskId, histories[index] ?? []]))
  }

  /** Leaves out a history that the rule spoiled. */
  forget(taskId: TaskId): void {
    this.#forgotten.add(taskId)
  }

  /** What people would read of every task, by its history alone. */
  async folds(): Promise<ReadonlyMap<TaskId, TaskDetails>> {
    const folds = new Map<TaskId, TaskDetails>()
    for (const [taskId, history] of await this.histories()) {
      const details = detailsOf(history)
      if (details !== undefined) folds.set(taskId, details)
    }
    return folds
  }

  /** Ends every body and closes every node. */
  async close(): Promise<void> {
    for (const { interference } of this.#nodes) interference.end()
    for (const held of this.#held) held.end()
    const closings = await this.#context.within('every node closes', Promise.allSettled(this.#nodes.map(({ manager }) => manager.close())))
    for (const closing of closings) if (closing.status === 'rejected') throw closing.reason
  }

  /** Whatever a rule is about: no history may be one that the domain does not allow. */
  async checkHistories(): Promise<void> {
    for (const [taskId, history] of await this.histories()) {
      const violations = checkHistory(history)
      assert.deepEqual(violations, [], `the history of task ${taskId} breaks the rules of the domain`)
    }
  }

  /** What helps to understand a failure. */
  async traces(): Promise<unknown> {
    const told = [...(await this.histories())].slice(-10).map(([taskId, history]) => [taskId, history.map(inShort)])
    return { histories: Object.fromEntries(told) as object, logged: this.#logged.slice(-20) }
  }

  async #client(): Promise<Adapters> {
    const port = this.#unusedPort
    this.#unusedPort = undefined
    return port ?? this.#context.peer()
  }

  #loggerOf(node: string): Logger {
    const nothing = (): void => {}
    const log =
      (level: Logged['level']) =>
      (fields: object, message: string): void =>
        void this.#logged.push({ node, level, message, fields })
    return { debug: nothing, info: nothing, warn: log('warn'), error: log('error') }
  }
}

/** What is said of an event that is written behind the backs of the nodes. */
export type WrittenEvent = TaskEvent extends infer Event
  ? Event extends TaskEvent
    ? Omit<Event, 'taskId' | 'version' | 'eventId' | 'at' | 'node'>
    : never
  : never

const inShort = (event: TaskEvent): string => {
  const attempt = 'attempt' in event && event.attempt !== undefined ? ` attempt ${event.attempt}` : ''
  return `${event.version} ${event.type}${attempt} by ${event.node} at ${event.at}`
}

/** The ids of tasks, in one order. */
export const sortedIds = (tasks: readonly ({ readonly id: TaskId } | { readonly taskId: TaskId })[]): readonly TaskId[] =>
  tasks.map((task) => ('id' in task ? task.id : task.taskId)).sort()

/** A rule about a cluster, which is opened for it, closed after it, and whose histories are checked. */
export interface ClusterRule extends Omit<Rule<Adapters>, 'run'> {
  run(cluster: Cluster, context: RuleContext<Adapters>): Promise<void>
}

export const clustered = (rule: ClusterRule): Rule<Adapters> => ({
  ...rule,
  run: async (context) => {
    const cluster = new Cluster(context)
    try {
      await rule.run(cluster, context)
      await cluster.close()
      await cluster.checkHistories()
    } catch (error) {
      context.observe(await cluster.traces().catch((cause: unknown) => cause))
      // What the rule found is worth more than what goes wrong after it.
      await cluster.close().catch(() => {})
      throw error
    }
  },
})
