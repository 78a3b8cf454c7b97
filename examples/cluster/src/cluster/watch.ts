import type { TaskNotice, TaskDetails, TaskId, TaskManager } from '@taskledger/core'

/** How soon after a notice the list is read, in milliseconds: notices within this time share one read. */
const noticeMs = 150

/** How often the list is read without a notice, in milliseconds. */
const pollMs = 1_000

/** One page of the list: more tasks than a user submits by hand. */
const limit = 1_000

export interface WatchOptions {
  readonly manager: TaskManager
  /** Hears each notice except those of progress. */
  readonly onNotice: (notice: TaskNotice) => void
  /** Hears the reason why the list could not be read. */
  readonly onError: (error: unknown) => void
}

/** Watches a whole cluster, as any node can: a notice says when to read, and the list has the tasks. */
export class ClusterWatch {
  readonly #options: WatchOptions
  readonly #over = new AbortController()
  readonly #unsubscribe: () => void
  #tasks: readonly TaskDetails[] = []
  #liveNodes: ReadonlySet<string> = new Set()
  #timer: NodeJS.Timeout
  #reading: Promise<void> | undefined
  #dueAt = Infinity
  /** Whether a notice came while the list was being read. */
  #isStale = false

  constructor(options: WatchOptions) {
    this.#options = options
    this.#unsubscribe = options.manager.subscribe((notice) => {
      if (notice.type !== 'TaskProgress') options.onNotice(notice)
      this.#readIn(noticeMs)
    })
    this.#timer = setTimeout(() => this.#readAgain(), 0)
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
    await this.#reading
  }

  #readIn(ms: number): void {
    if (this.#reading !== undefined) this.#isStale = true
    const dueAt = performance.now() + ms
    if (this.#over.signal.aborted || this.#reading !== undefined || dueAt >= this.#dueAt) return
    this.#dueAt = dueAt
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#readAgain(), ms)
  }

  #readAgain(): void {
    this.#isStale = false
    this.#reading = this.#read()
      .catch((error: unknown) => {
        if (!this.#over.signal.aborted) this.#options.onError(error)
      })
      .then(() => {
        this.#reading = undefined
        this.#dueAt = Infinity
        this.#readIn(this.#isStale ? noticeMs : pollMs)
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
