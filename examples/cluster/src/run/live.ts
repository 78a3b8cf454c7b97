import type { ReadStream, WriteStream } from 'node:tty'
import type { TaskId } from '@taskledger/core'
import type { Mailbox } from '@taskledger/example-reindex/job'
import type { ShutdownRequest } from '@taskledger/example-reindex/program'
import { counted, FullScreen } from '@taskledger/example-reindex/terminal'
import type { Key } from '@taskledger/example-reindex/terminal'
import type { Cluster } from '../cluster/cluster.ts'
import type { Environment } from '../environment/environment.ts'
import { reasonOf } from '../errors.ts'
import { renderCluster } from '../screen/render.ts'
import type { NewsView } from '../screen/view.ts'
import { maxWorkers } from '../worker/pool.ts'

export interface LiveRunOptions {
  readonly cluster: Cluster
  readonly environment: Environment
  readonly mailboxes: readonly Mailbox[]
  readonly news: () => readonly NewsView[]
  readonly input: ReadStream
  readonly output: WriteStream
  /** Requests the shutdown. */
  readonly stop: (request: ShutdownRequest) => void
}

/** How long a message is shown, in milliseconds. */
const messageMs = 6_000

/** Shows a cluster, and handles its keys. */
export class LiveRun {
  readonly #options: LiveRunOptions
  readonly #screen: FullScreen
  readonly #cluster: Cluster
  #selectedTask = 0
  #selectedNode: string | undefined
  #message: { readonly text: string; readonly until: number } | undefined
  #isStopping = false
  /** A new task, which is selected once the list has it. */
  #submitted: TaskId | undefined

  constructor(options: LiveRunOptions) {
    this.#options = options
    this.#cluster = options.cluster
    const { input, output } = options
    this.#screen = new FullScreen({
      input,
      output,
      render: (columns, lines) => this.#render(columns, lines),
      onKey: (key) => this.#press(key),
    })
    this.say(`submitting ${counted(options.mailboxes.length, 'mailbox', 'mailboxes')}`)
    this.#do('could not submit', () => this.#cluster.submit(options.mailboxes))
  }

  /** Shows a message for a while. */
  say(text: string): void {
    this.#message = { text, until: Date.now() + messageMs }
  }

  /** Shows that the cluster is shutting down. */
  stopping(): void {
    this.#isStopping = true
    this.#message = undefined
    this.#screen.draw()
  }

  /** Restores the terminal. */
  close(): void {
    this.#screen.close()
  }

  #press({ name, ctrl = false, sequence = '' }: Key): void {
    const last = Math.max(0, this.#cluster.rows.length - 1)
    if (ctrl && name === 'c') return this.#options.stop('SIGINT')
    if (name === 'q') return this.#options.stop('quit')
    if (this.#isStopping) return
    if (name === 'up' || name === 'k') this.#selectedTask = Math.max(0, this.#selectedTask - 1)
    else if (name === 'down' || name === 'j') this.#selectedTask = Math.min(last, this.#selectedTask + 1)
    else if (name === 'home' || name === 'g') this.#selectedTask = 0
    else if (name === 'end') this.#selectedTask = last
    else if (name === 's') this.#submitAgain()
    else if (name === 'c') this.#cancel()
    else if (name === 'a') this.#add()
    else if (name === 'x') this.#stopWorker()
    else if (/^[1-9]$/.test(sequence)) this.#selectNode(Number(sequence))
  }

  #submitAgain(): void {
    const row = this.#cluster.rows[this.#selectedTask]
    if (row === undefined) return
    this.say(`${row.mailbox.name} is submitted again`)
    this.#do('could not submit', async () => {
      const [handle] = await this.#cluster.submit([row.mailbox])
      this.#submitted = handle?.id
    })
  }

  #cancel(): void {
    const details = this.#cluster.rows[this.#selectedTask]?.details
    if (details === undefined) return
    this.#do('could not cancel', async () => this.say(await this.#cluster.cancel(details.taskId)))
  }

  #add(): void {
    const worker = this.#cluster.pool.add()
    if (worker === undefined) return this.say(`there were ${maxWorkers} workers already, one for each key`)
    this.say(`${worker.name} starts`)
    this.#do('could not add a worker', () => worker.ready)
  }

  #selectNode(key: number): void {
    const worker = this.#cluster.pool.workers[key - 1]
    if (worker === undefined) return this.say(`there is no worker-${key}`)
    if (!worker.isHere) return this.say(`${worker.name} is gone`)
    this.#selectedNode = worker.name
  }

  #stopWorker(): void {
    const { pool } = this.#cluster
    const worker = pool.workers.find(({ name, state }) => name === this.#nodeToStop && (state === 'alive' || state === 'starting'))
    if (worker === undefined) return this.say('that worker is gone: press the number of another one')
    this.say(`${worker.name} takes no more tasks, and releases those that do not end soon`)
    this.#do('could not stop a worker', () => pool.stopOne(worker))
  }

  /** The selected worker, or else the latest one. */
  get #nodeToStop(): string | undefined {
    const { workers } = this.#cluster.pool
    return workers.find(({ name, isHere }) => name === this.#selectedNode && isHere)?.name ?? workers.findLast(({ isHere }) => isHere)?.name
  }

  #do(what: string, action: () => Promise<unknown>): void {
    action().catch((error: unknown) => {
      if (!this.#isStopping) this.say(`${what}: ${reasonOf(error)}`)
    })
  }

  #render(columns: number, lines: number): readonly string[] {
    const { environment, news } = this.#options
    const tasks = this.#cluster.rows
    const at = tasks.findIndex(({ details }) => details?.taskId === this.#submitted)
    if (at >= 0) [this.#selectedTask, this.#submitted] = [at, undefined]
    const message = this.#message !== undefined && this.#message.until > Date.now() ? this.#message.text : undefined
    const selectedNode = this.#nodeToStop
    return renderCluster({
      servers: environment.servers,
      nodes: this.#cluster.nodes,
      ...(selectedNode === undefined ? {} : { selectedNode }),
      tasks,
      selectedTask: this.#selectedTask,
      // A waiting task may run on another node next.
      nodeOf: ({ details }) => (details?.node === undefined || details.status === 'waiting' ? '' : this.#cluster.nameOf(details.node)),
      news: news(),
      ...(message === undefined ? {} : { message }),
      isStopping: this.#isStopping,
      startedAt: this.#cluster.startedAt,
      now: Date.now(),
      columns,
      lines,
    })
  }
}
