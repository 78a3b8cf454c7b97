import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Notice } from '@taskledger/core'
import type { Mailbox } from '@taskledger/example-reindex/job'
import type { Account } from './account.ts'
import { accountFor, isAllWell, summaryOf } from './account.ts'
import type { Cluster } from './cluster.ts'
import { startCluster } from './cluster.ts'
import type { Ground } from './ground.ts'
import { LiveRun } from './live-run.ts'
import { newsOf } from './news.ts'
import { plainRun } from './plain-run.ts'
import { reasonOf } from './reasons.ts'
import type { Scratch } from './scratch.ts'
import type { NewsView, NodeState } from './screen/view.ts'
import { streamLogger } from './stream-logger.ts'
import type { Stopping } from './stopping.ts'
import type { WorkerProcess } from './worker/worker-process.ts'

export interface SessionOptions {
  readonly ground: Ground
  readonly mailboxes: readonly Mailbox[]
  readonly index: string
  readonly pace: { readonly paceMs?: number }
  readonly drainMs: number
  readonly silenceMs: number
  readonly isLive: boolean
  readonly scratch: Scratch
  readonly stopping: Stopping
  readonly say: (line: string) => void
  readonly complain: (line: string) => void
}

const wordsFor = (state: NodeState, note = 'no reason is known'): string => {
  switch (state) {
    case 'starting':
      return 'starts'
    case 'alive':
      return 'ready'
    case 'draining':
      return 'told to stop'
    case 'gone':
      return 'gone, in order'
    case 'lost':
      return `gone: ${note}`
  }
}

/** More news than any screen has room for. */
const mostNews = 100

/** How long the histories may take to be read at the end, in milliseconds. */
const accountMs = 60_000

/** One cluster from its start to its end, and what is told of it. */
export class Session {
  readonly #options: SessionOptions
  readonly #notices: { readonly at: number; readonly notice: Notice }[] = []
  #cluster: Cluster | undefined
  #live: LiveRun | undefined
  #untold: Notice[] = []

  constructor(options: SessionOptions) {
    this.#options = options
    options.stopping.from({ inOrder: () => this.#stopInOrder(), atOnce: () => this.#stopAtOnce() })
  }

  /** Whether all went well. */
  async run(): Promise<boolean> {
    const { isLive, stopping, say } = this.#options
    const cluster = await this.#start()
    const startedAt = performance.now()
    let account: Account
    try {
      await this.#work(cluster)
      await cluster.fleet.stop()
      account = await accountFor(cluster.manager, cluster.taskIds, { signal: AbortSignal.timeout(accountMs) })
    } finally {
      this.#live?.close()
      await cluster.close()
    }
    this.#tellUntold()
    const { workers } = cluster.fleet
    const isWaitedFor = !isLive && !stopping.signal.aborted
    for (const violation of account.violations) say(violation)
    say(summaryOf({ account, processes: 1 + workers.length, elapsedMs: performance.now() - startedAt, isWaitedFor }))
    return (isWaitedFor ? isAllWell(account) : account.violations.length === 0) && workers.every(({ state }) => state === 'gone')
  }

  async #start(): Promise<Cluster> {
    const { ground, index, pace, drainMs, isLive, scratch, stopping, say } = this.#options
    stopping.signal.throwIfAborted()
    this.#cluster = await startCluster({
      ground,
      index,
      ...pace,
      drainMs,
      logs: scratch.logs,
      logger: streamLogger(scratch.log),
      onNotice: (notice) => this.#hear(notice),
      onTrouble: (error) => this.#tell(`the cluster could not be looked at: ${reasonOf(error)}`),
      onWorker: (worker) => this.#watchWorker(worker),
    })
    if (!isLive) say(`${ground.engines.keyspace} is the keyspace of this run, and what the names of its queues begin with`)
    return this.#cluster
  }

  /** Until all is done, or somebody wishes the end. */
  async #work(cluster: Cluster): Promise<void> {
    const { mailboxes, silenceMs, isLive, stopping, say } = this.#options
    try {
      if (isLive) await this.#runLive(cluster)
      else await plainRun({ cluster, mailboxes, say, silenceMs, signal: stopping.signal })
    } catch (error) {
      if (!stopping.signal.aborted) throw error
    }
  }

  async #runLive(cluster: Cluster): Promise<void> {
    const { ground, mailboxes, stopping } = this.#options
    const { stdin: input, stdout: output } = process
    const news = (): readonly NewsView[] => this.#news()
    this.#live = new LiveRun({ cluster, ground, mailboxes, news, input, output, stop: (wish) => stopping.ask(wish) })
    await sleep(2 ** 31 - 1, undefined, { signal: stopping.signal })
  }

  #news(): readonly NewsView[] {
    const cluster = this.#cluster
    if (cluster === undefined) return []
    return this.#notices.flatMap(({ at, notice }) => {
      const text = newsOf(cluster, notice)
      return text === undefined ? [] : [{ at, text }]
    })
  }

  #hear(notice: Notice): void {
    this.#notices.push({ at: Date.now(), notice })
    if (this.#notices.length > mostNews) this.#notices.shift()
    if (this.#options.isLive) return
    this.#untold.push(notice)
    this.#tellUntold()
  }

  /** In plain lines. A notice may come before the submit that it speaks of has returned: then it waits. */
  #tellUntold(): void {
    const cluster = this.#cluster
    if (cluster === undefined) return
    this.#untold = this.#untold.filter((notice) => {
      const text = newsOf(cluster, notice)
      if (text !== undefined && notice.type !== 'TaskCreated') this.#options.say(text)
      return text === undefined
    })
  }

  #watchWorker({ name, pid, state, note }: WorkerProcess): void {
    if (!this.#options.isLive || state === 'lost') this.#tell(`${name}, process ${pid}: ${wordsFor(state, note)}`)
  }

  #tell(text: string): void {
    if (this.#live === undefined) this.#options.say(text)
    else this.#live.say(text)
  }

  #stopInOrder(): void {
    if (this.#live === undefined) this.#options.say('Shutting down in order')
    else this.#live.stopping()
  }

  #stopAtOnce(): void {
    const { ground, scratch, complain } = this.#options
    this.#cluster?.fleet.kill()
    this.#live?.close()
    const { keyspace, prefix } = ground.engines
    complain(
      `Ended at once. Left behind: the keyspace ${keyspace}, queues and exchanges whose names begin with ${prefix}, and the folder ${scratch.folder}`,
    )
  }
}
