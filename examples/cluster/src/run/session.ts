import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskNotice } from '@taskledger/core'
import type { Mailbox } from '@taskledger/example-reindex/job'
import type { Shutdown } from '@taskledger/example-reindex/program'
import type { Cluster } from '../cluster/cluster.ts'
import { startCluster } from '../cluster/cluster.ts'
import type { Environment } from '../environment/environment.ts'
import type { RunFolder } from '../environment/run-folder.ts'
import { reasonOf } from '../errors.ts'
import type { NewsView, NodeState } from '../screen/view.ts'
import { streamLogger } from '../stream-logger.ts'
import type { WorkerProcess } from '../worker/process.ts'
import type { Account } from './account.ts'
import { accountFor, isAllWell, summaryOf } from './account.ts'
import { LiveRun } from './live.ts'
import { NewsFeed } from './news-feed.ts'
import { newsOf } from './news.ts'
import { plainRun } from './plain.ts'

export interface SessionOptions {
  readonly environment: Environment
  readonly mailboxes: readonly Mailbox[]
  readonly index: string
  readonly pace: { readonly paceMs?: number }
  readonly drainMs: number
  readonly silenceMs: number
  readonly isLive: boolean
  readonly runFolder: RunFolder
  readonly shutdown: Shutdown
  readonly say: (line: string) => void
  readonly warn: (line: string) => void
}

const describeState = (state: NodeState, note = 'for an unknown reason'): string => {
  switch (state) {
    case 'starting':
      return 'starting'
    case 'alive':
      return 'ready'
    case 'draining':
      return 'stopping'
    case 'gone':
      return 'stopped in order'
    case 'lost':
      return `gone: ${note}`
  }
}

/** The timeout for reading all histories at the end, in milliseconds. */
const accountMs = 60_000

/** One cluster from its start to its end, and the output about it. */
export class Session {
  readonly #options: SessionOptions
  readonly #news: NewsFeed
  #cluster: Cluster | undefined
  #live: LiveRun | undefined

  constructor(options: SessionOptions) {
    this.#options = options
    this.#news = new NewsFeed(options.isLive ? undefined : options.say)
    options.shutdown.setActions({ inOrder: () => this.#stopInOrder(), atOnce: () => this.#stopAtOnce() })
  }

  /** Whether all went well. */
  async run(): Promise<boolean> {
    const { isLive, shutdown, say } = this.#options
    const cluster = await this.#start()
    const startedAt = performance.now()
    let account: Account
    try {
      await this.#work(cluster)
      await cluster.pool.stop()
      account = await accountFor(cluster.manager, cluster.taskIds, { signal: AbortSignal.timeout(accountMs) })
    } finally {
      this.#live?.close()
      await cluster.close()
    }
    this.#news.print(cluster)
    const { workers } = cluster.pool
    const isWaitedFor = !isLive && !shutdown.signal.aborted
    for (const violation of account.violations) say(violation)
    for (const { name, state, note } of workers)
      if (state === 'lost') say(`${name} did not stop in order: ${note ?? 'for an unknown reason'}`)
    say(summaryOf({ account, processes: 1 + workers.length, elapsedMs: performance.now() - startedAt, isWaitedFor }))
    return (isWaitedFor ? isAllWell(account) : account.violations.length === 0) && workers.every(({ state }) => state === 'gone')
  }

  async #start(): Promise<Cluster> {
    const { environment, index, pace, drainMs, isLive, runFolder, shutdown, say } = this.#options
    shutdown.signal.throwIfAborted()
    this.#cluster = await startCluster({
      environment,
      index,
      ...pace,
      drainMs,
      logs: runFolder.logs,
      logger: streamLogger(runFolder.log),
      onNotice: (notice) => this.#hear(notice),
      onError: (error) => this.#show(`could not read the list: ${reasonOf(error)}`),
      onWorker: (worker) => this.#watchWorker(worker),
    })
    if (!isLive) say(`${environment.engines.keyspace} is the keyspace of this run, and the prefix of its queues`)
    return this.#cluster
  }

  /** Runs until all tasks have ended, or a shutdown is requested. */
  async #work(cluster: Cluster): Promise<void> {
    const { mailboxes, silenceMs, isLive, shutdown, say } = this.#options
    try {
      if (isLive) await this.#runLive(cluster)
      else await plainRun({ cluster, mailboxes, say, silenceMs, signal: shutdown.signal })
    } catch (error) {
      if (!shutdown.signal.aborted) throw error
    }
  }

  async #runLive(cluster: Cluster): Promise<void> {
    const { environment, mailboxes, shutdown } = this.#options
    const { stdin: input, stdout: output } = process
    const news = (): readonly NewsView[] => this.#news.viewsIn(cluster)
    const stop = shutdown.request.bind(shutdown)
    this.#live = new LiveRun({ cluster, environment, mailboxes, news, input, output, stop })
    await sleep(2 ** 31 - 1, undefined, { signal: shutdown.signal })
  }

  #hear(notice: TaskNotice): void {
    // The list still has the node of a task that died: later it has the node of the next attempt.
    const diedOn = notice.type === 'TaskDied' ? this.#cluster?.watch.taskOf(notice.taskId)?.node : undefined
    this.#news.add({ at: Date.now(), isNewTask: notice.type === 'TaskCreated', textIn: (cluster) => newsOf(cluster, notice, diedOn) })
    if (this.#cluster !== undefined) this.#news.print(this.#cluster)
  }

  #watchWorker({ name, pid, state, note }: WorkerProcess): void {
    const text = `${name}, process ${pid}: ${describeState(state, note)}`
    if (!this.#options.isLive || state === 'lost') this.#show(text)
    // The line at the bottom of the screen disappears after a moment.
    if (this.#options.isLive && state === 'lost') this.#news.add({ at: Date.now(), isNewTask: false, textIn: () => text })
  }

  #show(text: string): void {
    if (this.#live === undefined) this.#options.say(text)
    else this.#live.say(text)
  }

  #stopInOrder(): void {
    if (this.#live === undefined) this.#options.say('Shutting down in order')
    else this.#live.stopping()
  }

  #stopAtOnce(): void {
    const { environment, runFolder, warn } = this.#options
    this.#cluster?.pool.kill()
    this.#live?.close()
    const { keyspace, prefix } = environment.engines
    warn(
      `Ended at once. These stay: the keyspace ${keyspace}, queues and exchanges whose names begin with ${prefix}, and the folder ${runFolder.folder}`,
    )
  }
}
