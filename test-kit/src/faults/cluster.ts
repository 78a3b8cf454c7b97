import { isDeepStrictEqual } from 'node:util'
import type { TaskHandle, TaskWorkerOptions } from '@taskledger/core'
import type { Clock, TaskDetails, TaskEvent, TaskId, WorkMessage } from '@taskledger/core/ports'
import { detailsOf, systemClock } from '@taskledger/core/ports'
import { checkHistory } from '@taskledger/core/testing'
import type { Adapters } from './adapters.ts'
import type { ClusterNode, NodeOptions } from './cluster-node.ts'
import { openNode } from './cluster-node.ts'
import type { HeldOptions, HeldRun, HeldTask } from './held-task.ts'
import { heldTask } from './held-task.ts'

/** How a cluster waits. */
export interface Waiting {
  /** Waits until the condition holds. If it does not hold in time, the wait fails with the sentence, which says what should hold. */
  waitUntil(sentence: string, condition: () => boolean | Promise<boolean>): Promise<void>
  /** Waits for a promise. If it takes too long, the wait fails with the sentence. */
  within<T>(sentence: string, promise: Promise<T>): Promise<T>
}

/** What a cluster is made of. */
export interface ClusterParts {
  /** Opens a client of its own on the same data. */
  readonly open: () => Promise<Adapters>
  readonly waiting: Waiting
  /** The clock of the nodes. Default: the system clock. */
  readonly clock?: Clock
  /** Breaks the connections of a client, which does not close them. Default: closes the client. */
  readonly disconnect?: (client: Adapters) => unknown
  /** Options of every worker, unless a node has its own. */
  readonly worker?: TaskWorkerOptions
}

/** An event without the properties that every event has: `write` adds them. */
export type WrittenEvent = TaskEvent extends infer Event
  ? Event extends TaskEvent
    ? Omit<Event, 'taskId' | 'version' | 'eventId' | 'at' | 'node'>
    : never
  : never

/** A small cluster for tests: nodes that can fail, and what can be seen of them from outside. */
export class Cluster {
  readonly #parts: ClusterParts
  readonly #nodes: ClusterNode[] = []
  readonly #held: HeldTask[] = []
  readonly #runs: HeldRun[] = []
  readonly #forgotten = new Set<TaskId>()
  #outside: Promise<Adapters> | undefined

  constructor(parts: ClusterParts) {
    this.#parts = parts
  }

  /** Opens a node on a client of its own. */
  async node({ worker = {}, ...options }: NodeOptions): Promise<ClusterNode> {
    const { clock = systemClock, open, disconnect = (client: Adapters) => client.close() } = this.#parts
    const { name = `node-${this.#nodes.length + 1}`, tasks } = options
    const parts = { name, clock, disconnect, client: await open() }
    const node = await openNode(parts, {
      ...options,
      // Each run of a held task has the name of its node.
      tasks: isList(tasks) ? tasks.map((task) => this.#held.find((held) => held.task === task)?.on(name) ?? task) : tasks,
      worker: worker === false ? false : this.#withDefaults(worker),
    })
    this.#nodes.push(node)
    return node
  }

  /** Opens several nodes that are alike. */
  async nodes(count: 2, options: NodeOptions): Promise<[ClusterNode, ClusterNode]>
  async nodes(count: 3, options: NodeOptions): Promise<[ClusterNode, ClusterNode, ClusterNode]>
  async nodes(count: number, options: NodeOptions): Promise<ClusterNode[]> {
    const nodes: ClusterNode[] = []
    while (nodes.length < count) nodes.push(await this.node(options))
    return nodes
  }

  /** Kills a node as by SIGKILL. */
  kill(node: ClusterNode): Promise<void> {
    return this.#parts.waiting.within('the client of the killed node closes', node.kill())
  }

  /** A task whose runs last until the test, or its end, says how they end. */
  held(options?: HeldOptions): HeldTask {
    const held = heldTask(options, (run) => this.#runs.push(run))
    this.#held.push(held)
    return held
  }

  /** The runs of all held tasks, in the order in which they began. */
  get runs(): readonly HeldRun[] {
    return this.#runs
  }

  /** The latest run of a held task. */
  find({ id }: { readonly id: TaskId }, attempt?: number): HeldRun | undefined {
    return this.#runs.findLast((run) => run.taskId === id && (attempt === undefined || run.attempt === attempt))
  }

  /** Waits until the condition holds, and returns how long that took, in milliseconds. */
  async until(sentence: string, condition: () => boolean | Promise<boolean>): Promise<number> {
    const { clock = systemClock, waiting } = this.#parts
    const startedAt = clock.elapsed()
    await waiting.waitUntil(sentence, condition)
    return clock.elapsed() - startedAt
  }

  /** Submits a held task and waits until it runs. */
  async start({ manager }: ClusterNode, held: HeldTask, payload: unknown = null): Promise<[TaskHandle<unknown, unknown>, HeldRun]> {
    const handle = await manager.submit(held.task, payload)
    return [handle, await this.running(handle)]
  }

  /** Waits until a held task runs. */
  async running(task: { readonly id: TaskId }, attempt = 1): Promise<HeldRun> {
    let run: HeldRun | undefined
    await this.until(`attempt ${attempt} of task ${task.id} runs`, () => (run = this.find(task, attempt)) !== undefined)
    if (run === undefined) throw new Error(`attempt ${attempt} of task ${task.id} does not run`)
    return run
  }

  /** Waits for the end of a task. */
  finished({ id }: { readonly id: TaskId }, on: ClusterNode): Promise<TaskDetails> {
    return this.#parts.waiting.within(`task ${id} ends`, on.manager.task(id).finished())
  }

  /** Waits for the end of many tasks. Together they may take long; only the time until the next end is limited. */
  async allFinished<Outcome>(ends: readonly Promise<Outcome>[]): Promise<readonly Outcome[]> {
    let ended = 0
    const all = Promise.all(ends.map((end) => end.finally(() => ended++)))
    // It is awaited below.
    all.catch(() => {})
    while (ended < ends.length) {
      const before = ended
      await Promise.race([all, this.until(`more than ${before} of ${ends.length} tasks end`, () => ended > before)])
    }
    return all
  }

  /** Waits until a task has a status. */
  async status({ id }: { readonly id: TaskId }, status: TaskDetails['status'], on: ClusterNode): Promise<void> {
    await this.until(`task ${id} is ${status}`, async () => (await on.manager.task(id).details()).status === status)
  }

  /** A client that belongs to no node: it shows what the store has. */
  outside(): Promise<Adapters> {
    this.#outside ??= this.#parts.open()
    return this.#outside
  }

  /** Appends an event without any node. */
  async write(taskId: TaskId, event: WrittenEvent): Promise<TaskEvent> {
    const { storage } = await this.outside()
    const { length } = await storage.events.read(taskId)
    const base = { taskId, version: length + 1, eventId: `outside-${taskId}-${length + 1}`, at: this.#now(), node: 'outside' }
    const written = { ...base, ...event } as TaskEvent
    await storage.events.append(taskId, length, [written])
    return written
  }

  /** Sends a message without any node. */
  async send(message: Pick<WorkMessage, 'taskId'> & Partial<WorkMessage>, queue = 'default'): Promise<void> {
    const { messaging } = await this.outside()
    await messaging.queue.send(queue, { version: 1, sentAt: this.#now(), ...message })
  }

  /** The history of a task, as the store has it. */
  async history({ id }: { readonly id: TaskId }): Promise<readonly TaskEvent[]> {
    return (await this.outside()).storage.events.read(id)
  }

  /** Waits until the row of a task in the listing is the same as its details. */
  async rowIs(details: TaskDetails, { manager }: ClusterNode): Promise<void> {
    await this.until(`the listing says of task ${details.taskId} what its history says`, async () => {
      const { tasks } = await manager.list({ since: details.createdAt, until: details.createdAt + 1, limit: 1_000 })
      return isDeepStrictEqual(
        tasks.find(({ taskId }) => taskId === details.taskId),
        details,
      )
    })
  }

  /** Every task that is listed. */
  async listed({ manager }: ClusterNode): Promise<readonly TaskDetails[]> {
    const rows: TaskDetails[] = []
    let cursor: string | undefined
    do {
      const page = await manager.list({ limit: 1_000, ...(cursor === undefined ? {} : { cursor }) })
      rows.push(...page.tasks)
      cursor = page.cursor
    } while (cursor !== undefined)
    return rows
  }

  /** Every history that a node tried to append to, by task. */
  async histories(): Promise<ReadonlyMap<TaskId, readonly TaskEvent[]>> {
    const { storage } = await this.outside()
    const written = new Set<TaskId>()
    for (const { calls } of this.#nodes)
      for (const { name, taskId } of calls) if (name === 'events.append' && taskId !== undefined) written.add(taskId)
    const taskIds = [...written].filter((taskId) => !this.#forgotten.has(taskId))
    const histories = await Promise.all(taskIds.map((taskId) => storage.events.read(taskId)))
    return new Map(taskIds.map((taskId, index) => [taskId, histories[index] ?? []]))
  }

  /** Leaves out a history that the test spoiled. */
  forget(taskId: TaskId): void {
    this.#forgotten.add(taskId)
  }

  /** The details of every task, by its history alone. */
  async folds(): Promise<ReadonlyMap<TaskId, TaskDetails>> {
    const folds = new Map<TaskId, TaskDetails>()
    for (const [taskId, history] of await this.histories()) {
      const details = detailsOf(history)
      if (details !== undefined) folds.set(taskId, details)
    }
    return folds
  }

  /** Ends every fault and every held run, and closes every node that lives. */
  async close(): Promise<void> {
    const living = this.#nodes.filter(({ process }) => !process.isDead)
    for (const { faults, process } of living) {
      faults.heal()
      process.thaw()
    }
    for (const held of this.#held) held.end()
    const closings = await this.#parts.waiting.within(
      'every node closes',
      Promise.allSettled(living.map(({ manager }) => manager.close({ drainMs: 0 }))),
    )
    for (const closing of closings) if (closing.status === 'rejected') throw closing.reason
  }

  /** Checks that the rules of the domain allow every history. */
  async checkHistories(): Promise<void> {
    for (const [taskId, history] of await this.histories()) {
      const breaches = checkHistory(history)
      if (breaches.length > 0) throw new Error(`the history of task ${taskId} breaks the rules of the domain: ${breaches.join('; ')}`)
    }
  }

  /** The latest histories and warnings, for the report of a failure. */
  async traces(): Promise<unknown> {
    const histories = [...(await this.histories())].slice(-10).map(([taskId, history]) => [taskId, history.map(summaryOf)])
    const logged = this.#nodes.flatMap((node) => node.logged.filter(({ level }) => level === 'warn' || level === 'error').slice(-10))
    return { histories: Object.fromEntries(histories) as object, logged }
  }

  #withDefaults(worker: TaskWorkerOptions): TaskWorkerOptions {
    const defaults = this.#parts.worker
    return { ...defaults, ...worker, unknownTasks: { ...defaults?.unknownTasks, ...worker.unknownTasks } }
  }

  #now(): number {
    return (this.#parts.clock ?? systemClock).now()
  }
}

const isList = <Item>(value: readonly Item[] | object): value is readonly Item[] => Array.isArray(value)

const summaryOf = (event: TaskEvent): string => {
  const attempt = 'attempt' in event && event.attempt !== undefined ? ` attempt ${event.attempt}` : ''
  return `${event.version} ${event.type}${attempt} by ${event.node} at ${event.at}`
}
