import process from 'node:process'
import type { Logger, TaskNotice, TaskHandle, TaskId, TaskManager } from '@taskledger/core'
import { createTaskManager } from '@taskledger/core'
import { reindexMailbox } from '@taskledger/example-reindex/job'
import type { Mailbox, Reindexed, ReindexProgress } from '@taskledger/example-reindex/job'
import type { ReindexDetails, Row } from '@taskledger/example-reindex/terminal'
import { ClusterWatch } from './cluster-watch.ts'
import { openEngines } from './engines.ts'
import type { Ground } from './ground.ts'
import type { NodeView } from './screen/view.ts'
import { Fleet } from './worker/fleet.ts'
import type { WorkerProcess } from './worker/worker-process.ts'

export interface ClusterOptions {
  readonly ground: Ground
  /** The folder of the index. */
  readonly index: string
  readonly paceMs?: number
  readonly drainMs: number
  /** The folder of the logs. */
  readonly logs: string
  readonly logger: Logger
  readonly onNotice: (notice: TaskNotice) => void
  readonly onTrouble: (error: unknown) => void
  readonly onWorker: (worker: WorkerProcess) => void
}

const workersAtFirst = 2

/** How many mailboxes a worker reindexes at a time. */
const slots = 2

/** The front-end in this process, and its workers in theirs. */
export class Cluster {
  readonly manager: TaskManager
  readonly fleet: Fleet
  readonly watch: ClusterWatch
  readonly startedAt = Date.now()
  readonly #mailboxOf = new Map<TaskId, Mailbox>()

  constructor(manager: TaskManager, options: ClusterOptions) {
    const { ground, index, paceMs, drainMs, logs, onWorker } = options
    this.manager = manager
    this.watch = new ClusterWatch({ manager, onNotice: options.onNotice, onTrouble: options.onTrouble })
    const pace = paceMs === undefined ? {} : { paceMs }
    this.fleet = new Fleet({ engines: ground.engines, index, slots, drainMs, logs, onChange: onWorker, ...pace })
  }

  /** The tasks that were submitted, the oldest first. */
  get taskIds(): readonly TaskId[] {
    return [...this.#mailboxOf.keys()]
  }

  /** What the list says of them. */
  get rows(): readonly Row[] {
    return this.watch.tasks.flatMap((details) => {
      const mailbox = this.#mailboxOf.get(details.taskId)
      // Only tasks that `reindexMailbox` submitted have a mailbox, and its schemas checked their result and progress.
      return mailbox === undefined ? [] : [{ mailbox, details: details as ReindexDetails, rate: 0 }]
    })
  }

  /** The processes that take part, or did. */
  get nodes(): readonly NodeView[] {
    const { nodeId } = this.manager
    const frontEnd: NodeView = { name: 'front-end', pid: process.pid, queues: {}, running: 0, state: 'alive', since: this.startedAt }
    const workers = this.fleet.workers.map(({ name, pid, queues, state, since, note, nodeId }, at): NodeView => {
      const isListed = nodeId !== undefined && this.watch.liveNodes.has(nodeId)
      const running = this.watch.runningOn(nodeId)
      const told = noteOf(state, note, running, isListed)
      return { name, pid, key: String(at + 1), queues, running, state, since, ...(told === undefined ? {} : { note: told }) }
    })
    return [this.watch.liveNodes.has(nodeId) ? frontEnd : { ...frontEnd, note: 'not in the registry' }, ...workers]
  }

  mailboxOf(taskId: TaskId): Mailbox | undefined {
    return this.#mailboxOf.get(taskId)
  }

  /** The name of a node, by its id. */
  nameOf(nodeId: string): string {
    if (nodeId === this.manager.nodeId) return 'front-end'
    return this.fleet.workers.find((worker) => worker.nodeId === nodeId)?.name ?? nodeId
  }

  /** Submits a task for each mailbox. */
  async submit(mailboxes: readonly Mailbox[]): Promise<readonly TaskHandle<Reindexed, ReindexProgress>[]> {
    const handles = await this.manager.submitMany(
      reindexMailbox,
      mailboxes.map((mailbox) => ({ ...mailbox })),
    )
    for (const [at, { id }] of handles.entries()) {
      const mailbox = mailboxes[at]
      if (mailbox !== undefined) this.#mailboxOf.set(id, mailbox)
    }
    return handles
  }

  /** Wishes a task to end, and gives what came of it in words. */
  async cancel(taskId: TaskId): Promise<string> {
    const name = this.#mailboxOf.get(taskId)?.name ?? taskId
    const { outcome } = await this.manager.task(taskId).cancel({ reason: 'cancelled at the keyboard', by: 'you' })
    switch (outcome) {
      case 'cancelled':
        return `${name} is cancelled`
      case 'requested':
        return `${name} is told to end`
      case 'finished':
        return `${name} had ended before`
    }
  }

  /** Ends everything in order: the workers first, so that the front-end hears of it. */
  async close(): Promise<void> {
    await this.fleet.stop()
    await this.watch.close()
    await this.manager.close()
  }
}

/** Starts the front-end and two workers; resolves once all three are ready. */
export const startCluster = async (options: ClusterOptions): Promise<Cluster> => {
  const { ground, logger } = options
  const engines = openEngines(ground.engines, logger)
  const manager = await createTaskManager({ ...engines, name: 'front-end', tasks: [reindexMailbox], worker: false, logger })
  const cluster = new Cluster(manager, options)
  try {
    const workers = Array.from({ length: workersAtFirst }).flatMap(() => cluster.fleet.add() ?? [])
    await Promise.all(workers.map(({ ready }) => ready))
    return cluster
  } catch (error) {
    cluster.fleet.kill()
    await cluster.close()
    throw error
  }
}

const noteOf = (state: NodeView['state'], note: string | undefined, running: number, isListed: boolean): string | undefined => {
  switch (state) {
    case 'starting':
    case 'gone':
      return undefined
    case 'alive':
      return isListed ? undefined : 'not in the registry yet'
    case 'draining':
      return note
    case 'lost':
      return running === 0 ? note : `${note ?? 'no reason is known'}; others run its tasks again`
  }
}
