import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskNotice } from '@taskledger/core'
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

/** What happened, and when. */
interface Happening {
  readonly at: number
  readonly isNew: boolean
  /** In words; nothing where it is of a task that is not known yet. */
  readonly textIn: (cluster: Cluster) => string | undefined
}

/** One cluster from its start to its end, and what is told of it. */
export class Session {
  readonly #options: SessionOptions
  readonly #happenings: Happening[] = []
  #cluster: Cluster | undefined
  #live: LiveRun | undefined
  #untold: Happening[] = []

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
    for (const { name, state, note } of workers) if (state === 'lost') say(`${name} did not end in order: ${note ?? 'no reason is known'}`)
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
    return this.#happenings.flatMap(({ at, textIn }) => {
      const text = textIn(cluster)
      return text === undefined ? [] : [{ at, text }]
    })
  }

  #hear(notice: TaskNotice): void {
    // The list still says where a task ran that died; later it says where it runs then.
    const diedOn = notice.type === 'TaskDied' ? this.#cluster?.watch.taskOf(notice.taskId)?.node : undefined
    const happening: Happening = {
      at: Date.now(),
      isNew: notice.type === 'TaskCreated',
      textIn: (cluster) => newsOf(cluster, notice, diedOn),
    }
    this.#remember(happening)
    if (this.#options.isLive) return
    this.#untold.push(happening)
    this.#tellUntold()
  }

  #remember(happening: Happening): void {
    this.#happenings.push(happening)
    if (this.#happenings.length > mostNews) this.#happenings.shift()
  }

  /** In plain lines. A notice may come before the submit that it speaks of has returned: then it waits. */
  #tellUntold(): void {
    const cluster = this.#cluster
    if (cluster === undefined) return
    this.#untold = this.#untold.filter(({ isNew, textIn }) => {
      const text = textIn(cluster)
      if (text !== undefined && !isNew) this.#options.say(text)
      return text === undefined
    })
  }

  #watchWorker({ name, pid, state, note }: WorkerProcess): void {
    const text = `${name}, process ${pid}: ${wordsFor(state, note)}`
    if (!this.#options.isLive || state === 'lost') this.#tell(text)
    // What the line below says is gone in a moment.
    if (this.#options.isLive && state === 'lost') this.#remember({ at: Date.now(), isNew: false, textIn: () => text })
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
