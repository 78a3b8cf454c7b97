import type { TaskDetails, TaskHandle } from '@taskledger/core'
import { hasCode, isFinalStatus } from '@taskledger/core'
import type { LocalCluster } from './local-cluster.ts'
import type { Mailbox } from './mail/mailbox.ts'
import type { Reindexed, ReindexProgress } from './reindex-task.ts'
import { reindexMailbox } from './reindex-task.ts'

/** The details of a reindexing task. */
export type ReindexDetails = TaskDetails<Reindexed, ReindexProgress>

/** A mailbox and the latest known state of its task. */
export interface Row {
  readonly mailbox: Mailbox
  /** Undefined before the task was submitted. */
  readonly details?: ReindexDetails
  /** Messages per second. */
  readonly rate: number
}

/** The work of one worker. */
export interface WorkerShare {
  readonly mailboxes: number
  readonly messages: number
}

interface Sample {
  readonly at: number
  readonly done: number
}

/** The rate is measured over this time, in milliseconds. */
const rateMs = 3_000

/** Reindexes mailboxes, one task for each, and follows them. */
export class ReindexRun {
  readonly #cluster: LocalCluster
  readonly #rows: Row[]
  readonly #handles: TaskHandle<Reindexed, ReindexProgress>[] = []
  readonly #samples: Sample[][]
  readonly #shares = new Map<string, WorkerShare>()
  readonly #startedAt = performance.now()
  #elapsedMs: number | undefined
  /** Hears of each row that changed. */
  onChange: (row: Row, before: Row) => void = () => {}

  constructor(cluster: LocalCluster, mailboxes: readonly Mailbox[]) {
    this.#cluster = cluster
    this.#rows = mailboxes.map((mailbox) => ({ mailbox, rate: 0 }))
    this.#samples = mailboxes.map(() => [])
    for (const { nodeId } of cluster.workers) this.#shares.set(cluster.nameOf(nodeId), { mailboxes: 0, messages: 0 })
  }

  get rows(): readonly Row[] {
    return this.#rows
  }

  get shares(): ReadonlyMap<string, WorkerShare> {
    return this.#shares
  }

  get elapsedMs(): number {
    return this.#elapsedMs ?? performance.now() - this.#startedAt
  }

  /** The name of the node that runs the task of a row, or ran it. */
  nodeOf({ details }: Row): string {
    return details?.node === undefined ? '' : this.#cluster.nameOf(details.node)
  }

  /** Submits the tasks, and follows them until they end or the cluster closes. */
  async follow(): Promise<void> {
    this.#handles.push(
      ...(await this.#cluster.frontEnd.submitMany(
        reindexMailbox,
        this.#rows.map(({ mailbox }) => ({ ...mailbox })),
      )),
    )
    await Promise.all(this.#handles.map((handle, at) => this.#watch(handle, at)))
    this.#elapsedMs ??= this.elapsedMs
  }

  /** Cancels the task of a row. */
  async cancel(at: number): Promise<void> {
    await this.#handles[at]?.cancel({ reason: 'cancelled at the keyboard', by: 'you' })
  }

  /** Reads all tasks once more, after the workers have stopped. */
  async refresh(): Promise<void> {
    await Promise.all(this.#handles.map(async (handle, at) => this.#set(at, await handle.details())))
    this.#elapsedMs ??= this.elapsedMs
  }

  async #watch(handle: TaskHandle<Reindexed, ReindexProgress>, at: number): Promise<void> {
    try {
      for await (const details of handle.watch()) this.#set(at, details)
    } catch (error) {
      if (!hasCode(error, 'CLOSED')) throw error
    }
  }

  #set(at: number, details: ReindexDetails): void {
    const before = this.#rows[at]
    if (before === undefined || (before.details !== undefined && before.details.version > details.version)) return
    const row = { mailbox: before.mailbox, details, rate: this.#rate(at, details) }
    this.#rows[at] = row
    this.#share(row, before)
    this.onChange(row, before)
  }

  #rate(at: number, details: ReindexDetails): number {
    const samples = this.#samples[at] ?? []
    const now = performance.now()
    if (details.status !== 'inProgress' || details.progress?.attempt !== details.attempt) samples.length = 0
    else samples.push({ at: now, done: doneOf(details) })
    while (samples[0] !== undefined && now - samples[0].at > rateMs) samples.shift()
    const [first] = samples
    const last = samples.at(-1)
    return first === undefined || last === undefined || last.at === first.at ? 0 : ((last.done - first.done) / (last.at - first.at)) * 1000
  }

  #share(row: Row, before: Row): void {
    const { details } = row
    const share = this.#shares.get(this.nodeOf(row))
    if (details === undefined || share === undefined) return
    const isDone = details.status === 'completed' && before.details?.status !== 'completed'
    this.#shares.set(this.nodeOf(row), {
      mailboxes: share.mailboxes + (isDone ? 1 : 0),
      messages: share.messages + Math.max(0, doneOf(details) - doneOf(before.details)),
    })
  }
}

/** The result of a task, or its latest progress. Undefined before the first message. */
export const countsOf = (details: ReindexDetails | undefined): Reindexed | ReindexProgress | undefined =>
  details?.result ?? details?.progress?.value

const doneOf = (details: ReindexDetails | undefined): number => countsOf(details)?.done ?? 0

/** The position in the mailbox, by the latest progress. */
export const placeOf = (details: ReindexDetails | undefined): ReindexProgress['at'] | undefined => details?.progress?.value.at

export const isOver = ({ details }: Row): boolean => details !== undefined && isFinalStatus(details.status)
