import process from 'node:process'
import type { Logger, TaskNotice, TaskHandle, TaskId, TaskManager } from '@taskledger/core'
import { createTaskManager } from '@taskledger/core'
import { reindexMailbox } from '@taskledger/example-reindex/job'
import type { Mailbox, Reindexed, ReindexProgress } from '@taskledger/example-reindex/job'
import type { ReindexDetails, Row } from '@taskledger/example-reindex/terminal'
import { ClusterWatch } from './watch.ts'
import { openEngines } from '../environment/engines.ts'
import type { Environment } from '../environment/environment.ts'
import type { NodeView } from '../screen/view.ts'
import { WorkerPool } from '../worker/pool.ts'
import type { WorkerProcess } from '../worker/process.ts'

export interface ClusterOptions {
  readonly environment: Environment
  /** The folder of the index. */
  readonly index: string
  readonly paceMs?: number
  readonly drainMs: number
  /** The folder of the logs. */
  readonly logs: string
  readonly logger: Logger
  readonly onNotice: (notice: TaskNotice) => void
  readonly onError: (error: unknown) => void
  readonly onWorker: (worker: WorkerProcess) => void
}

const initialWorkers = 2

/** How many mailboxes a worker reindexes at a time. */
const slots = 2

/** The front-end in this process, and its workers in processes of their own. */
export class Cluster {
  readonly manager: TaskManager
  readonly pool: WorkerPool
  readonly watch: ClusterWatch
  readonly startedAt = Date.now()
  readonly #mailboxOf = new Map<TaskId, Mailbox>()

  constructor(manager: TaskManager, options: ClusterOptions) {
    const { environment, index, paceMs, drainMs, logs, onWorker } = options
    this.manager = manager
    this.watch = new ClusterWatch({ manager, onNotice: options.onNotice, onError: options.onError })
    const pace = paceMs === undefined ? {} : { paceMs }
    this.pool = new WorkerPool({ engines: environment.engines, index, slots, drainMs, logs, onChange: onWorker, ...pace })
  }

  /** The tasks that were submitted, the oldest first. */
  get taskIds(): readonly TaskId[] {
    return [...this.#mailboxOf.keys()]
  }

  /** The submitted tasks, as the list has them. */
  get rows(): readonly Row[] {
    return this.watch.tasks.flatMap((details) => {
      const mailbox = this.#mailboxOf.get(details.taskId)
      // Only tasks that `reindexMailbox` submitted have a mailbox, and its schemas checked their result and progress.
      return mailbox === undefined ? [] : [{ mailbox, details: details as ReindexDetails, rate: 0 }]
    })
  }

  /** All processes of the run, also those that are gone. */
  get nodes(): readonly NodeView[] {
    const { nodeId } = this.manager
    const frontEnd: NodeView = { name: 'front-end', pid: process.pid, queues: {}, running: 0, state: 'alive', since: this.startedAt }
    const workers = this.pool.workers.map(({ name, pid, queues, state, since, note, nodeId }, at): NodeView => {
      const isListed = nodeId !== undefined && this.watch.liveNodes.has(nodeId)
      const running = this.watch.runningOn(nodeId)
      const shown = noteOf(state, note, running, isListed)
      return { name, pid, key: String(at + 1), queues, running, state, since, ...(shown === undefined ? {} : { note: shown }) }
    })
    return [this.watch.liveNodes.has(nodeId) ? frontEnd : { ...frontEnd, note: 'not in the registry' }, ...workers]
  }

  mailboxOf(taskId: TaskId): Mailbox | undefined {
    return this.#mailboxOf.get(taskId)
  }

  /** The name of a node, by its id. */
  nameOf(nodeId: string): string {
    if (nodeId === this.manager.nodeId) return 'front-end'
    return this.pool.workers.find((worker) => worker.nodeId === nodeId)?.name ?? nodeId
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

  /** Cancels a task, and gives the outcome in words. */
  async cancel(taskId: TaskId): Promise<string> {
    const name = this.#mailboxOf.get(taskId)?.name ?? taskId
    const { outcome } = await this.manager.task(taskId).cancel({ reason: 'cancelled at the keyboard', by: 'you' })
    switch (outcome) {
      case 'cancelled':
        return `${name} is cancelled`
      case 'requested':
        return `${name} is being cancelled`
      case 'finished':
        return `${name} had already ended`
    }
  }

  /** Closes everything in order: the workers first, so that the front-end hears their notices. */
  async close(): Promise<void> {
    await this.pool.stop()
    await this.watch.close()
    await this.manager.close()
  }
}

/** Starts the front-end and two workers; resolves once all three are ready. */
export const startCluster = async (options: ClusterOptions): Promise<Cluster> => {
  const { environment, logger } = options
  const engines = openEngines(environment.engines, logger)
  const manager = await createTaskManager({ ...engines, name: 'front-end', tasks: [reindexMailbox], worker: false, logger })
  const cluster = new Cluster(manager, options)
  try {
    const workers = Array.from({ length: initialWorkers }).flatMap(() => cluster.pool.add() ?? [])
    await Promise.all(workers.map(({ ready }) => ready))
    return cluster
  } catch (error) {
    cluster.pool.kill()
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
      return running === 0 ? note : `${note ?? 'for an unknown reason'}; other workers run its tasks again`
  }
}
