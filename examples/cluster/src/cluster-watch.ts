import type { TaskNotice, TaskDetails, TaskId, TaskManager } from '@taskledger/core'

/** How soon after a notice the list is read again, in milliseconds: those that come together count as one. */
const soonMs = 150

/** How often the list is read without a notice, in milliseconds. */
const slowMs = 1_000

/** One page of the list: more tasks than anybody submits by hand. */
const limit = 1_000

export interface WatchOptions {
  readonly manager: TaskManager
  /** Hears each notice that is more than progress. */
  readonly onNotice: (notice: TaskNotice) => void
  /** Hears that the cluster could not be asked, and why. */
  readonly onTrouble: (error: unknown) => void
}

/** Keeps an eye on a whole cluster, as any node may: notices say when to look, the list says what there is. */
export class ClusterWatch {
  readonly #options: WatchOptions
  readonly #over = new AbortController()
  readonly #unsubscribe: () => void
  #tasks: readonly TaskDetails[] = []
  #liveNodes: ReadonlySet<string> = new Set()
  #timer: NodeJS.Timeout
  #looking: Promise<void> | undefined
  #dueAt = Infinity
  /** Something happened while the list was being read. */
  #isStale = false

  constructor(options: WatchOptions) {
    this.#options = options
    this.#unsubscribe = options.manager.subscribe((notice) => {
      if (notice.type !== 'TaskProgress') options.onNotice(notice)
      this.#lookIn(soonMs)
    })
    this.#timer = setTimeout(() => this.#look(), 0)
  }

  /** All tasks, the oldest first. */
  get tasks(): readonly TaskDetails[] {
    return this.#tasks
  }

  /** The ids of the nodes that are in the registry. */
  get liveNodes(): ReadonlySet<string> {
    return this.#liveNodes
  }

  taskOf(taskId: TaskId): TaskDetails | undefined {
    return this.#tasks.find((task) => task.taskId === taskId)
  }

  /** How many tasks a node runs. */
  runningOn(nodeId: string | undefined): number {
    return this.#tasks.filter(({ node, status }) => node === nodeId && (status === 'inProgress' || status === 'cancelRequested')).length
  }

  async close(): Promise<void> {
    this.#unsubscribe()
    this.#over.abort()
    clearTimeout(this.#timer)
    await this.#looking
  }

  #lookIn(ms: number): void {
    if (this.#looking !== undefined) this.#isStale = true
    const dueAt = performance.now() + ms
    if (this.#over.signal.aborted || this.#looking !== undefined || dueAt >= this.#dueAt) return
    this.#dueAt = dueAt
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#look(), ms)
  }

  #look(): void {
    this.#isStale = false
    this.#looking = this.#read()
      .catch((error: unknown) => {
        if (!this.#over.signal.aborted) this.#options.onTrouble(error)
      })
      .then(() => {
        this.#looking = undefined
        this.#dueAt = Infinity
        this.#lookIn(this.#isStale ? soonMs : slowMs)
      })
  }

  async #read(): Promise<void> {
    const { manager } = this.#options
    const { signal } = this.#over
    const [{ tasks }, nodes] = await Promise.all([manager.list({ limit, signal }), manager.nodes({ signal })])
    this.#tasks = tasks.toSorted((a, b) => a.createdAt - b.createdAt || (a.taskId < b.taskId ? -1 : 1))
    this.#liveNodes = new Set(nodes.map(({ nodeId }) => nodeId))
  }
}
