import { encodeDetails } from '@taskledger/core/codec'
import type {
  CallOptions,
  PageRequest,
  TaskShard,
  TaskDetails,
  TaskFilter,
  TaskLife,
  TaskListing,
  TaskListingCapabilities,
  TaskPage,
  TaskProgress,
  UnreadableRow,
} from '@taskledger/core/ports'
import { decodeCursor, encodeCursor, pageOf, within } from '@taskledger/core/ports'
import type { Session } from '../connection/session.ts'
import type { SessionShare } from '../connection/session-share.ts'
import type { AllTasksTableOptions } from './tables/all-tasks-table.ts'
import { AllTasksTable } from './tables/all-tasks-table.ts'
import type { Partition } from './tables/buckets.ts'
import { planOf } from './tables/facets.ts'
import { readTasks } from './page.ts'
import type { Stretch } from './tables/rows.ts'
import { everything } from './tables/rows.ts'
import type { Snapshot } from './saves.ts'
import { Saves } from './saves.ts'
import { requestsOf } from './requests.ts'
import { trustedForMs } from './tables/partition-index.ts'
import { ProgressTable } from './tables/progress-table.ts'
import { UnfinishedTable } from './tables/unfinished-table.ts'

export interface CassandraTaskListingOptions extends AllTasksTableOptions {
  readonly session: Session
  readonly share: SessionShare
}

/** The task listing, on three tables: all tasks, the unfinished tasks, and their progress. */
export class CassandraTaskListing implements TaskListing {
  readonly capabilities: TaskListingCapabilities = { durability: 'failover' }
  readonly #share: SessionShare
  readonly #allTasks: AllTasksTable
  readonly #unfinished: UnfinishedTable
  readonly #progress: ProgressTable
  readonly #pageRows: number | undefined
  readonly #saves: Saves

  constructor({ session, share, ...options }: CassandraTaskListingOptions) {
    this.#share = share
    this.#allTasks = new AllTasksTable(session, options)
    this.#unfinished = new UnfinishedTable(session, options)
    this.#pageRows = options.pageRows
    this.#progress = new ProgressTable(session)
    this.#saves = new Saves(async (snapshots) => {
      const batches = [this.#allTasks, this.#unfinished].map((table) =>
        snapshots.flatMap(({ details, text }) => table.upserts(details, text)),
      )
      await Promise.all(requestsOf(batches).map((statements) => session.batch(statements, { isRepeatable: true })))
    })
  }

  async save(details: TaskDetails, options: CallOptions = {}): Promise<void> {
    this.#share.enter(options.signal)
    const snapshot = { details: { ...details, labels: [...details.labels] }, text: encodeDetails(details) }
    await within(this.#write(snapshot), { signal: options.signal })
  }

  /**
   * Writes rows and index rows at the same time. The save resolves when all of them are written, so every row of a
   * resolved save has its index row.
   */
  async #write(snapshot: Snapshot): Promise<void> {
    const { details } = snapshot
    const began = performance.now()
    const ensureIndexed = (): Promise<unknown> =>
      Promise.all([this.#allTasks.ensureIndexed(details), this.#unfinished.ensureIndexed(details)])
    const partitions = [this.#allTasks.table.partitionOf(details), this.#unfinished.table.partitionOf(details)]
    await Promise.all([ensureIndexed(), this.#saves.save(partitions.map(keyOf).join(' '), snapshot)])
    // A slow write may store the row after a scan has deleted its index row: see PartitionIndex.
    if (performance.now() - began > trustedForMs) await ensureIndexed()
  }

  async list(filter: TaskFilter, { limit, cursor, ...options }: PageRequest): Promise<TaskPage> {
    this.#share.enter(options.signal)
    const stretch = stretchOf(filter, cursor)
    const plan = planOf(filter)
    // One more than the limit, to know whether there is a next page.
    const rows = plan.type === 'unfinished' ? this.#unfinished.table.by([plan.facet]) : this.#allTasks.table.by(plan.facets)
    const found = await readTasks(rows, filter, stretch, limit + 1, { ...options, pageRows: this.#pageRows })
    const page = pageOf(await this.#progress.addedTo(found.slice(0, limit), options))
    const last = found[limit - 1]
    return found.length > limit && last !== undefined ? { ...page, cursor: encodeCursor(last, filter) } : page
  }

  async *unfinished(shard: TaskShard, options: CallOptions = {}): AsyncGenerator<TaskDetails | UnreadableRow, void, undefined> {
    this.#share.enter(options.signal)
    for await (const tasks of this.#unfinished.walk(shard, options)) {
      for (const task of await this.#progress.addedTo(tasks, options)) {
        yield task
        // The caller may have closed the listing between two tasks.
        this.#share.enter(options.signal)
      }
    }
  }

  async saveProgress(task: TaskLife, progress: TaskProgress, options: CallOptions = {}): Promise<void> {
    this.#share.enter(options.signal)
    await this.#progress.save(task, progress, options)
  }

  async progress(task: TaskLife, options: CallOptions = {}): Promise<TaskProgress | undefined> {
    this.#share.enter(options.signal)
    return this.#progress.of(task, options)
  }

  async remove(task: TaskLife, options: CallOptions = {}): Promise<void> {
    this.#share.enter(options.signal)
    await Promise.all([this.#allTasks.remove(task, options), this.#unfinished.remove(task, options), this.#progress.remove(task, options)])
  }

  async close(): Promise<void> {
    await this.#share.close()
  }
}

const keyOf = ({ bucket, shard }: Partition): string => `${bucket} ${shard}`

const stretchOf = (filter: TaskFilter, cursor: string | undefined): Stretch => {
  // Creation times are whole milliseconds, in the details as in the tables.
  const since = filter.since === undefined ? everything.since : Math.ceil(filter.since)
  // No task id comes after the empty one, so no task that was created exactly at `until` is listed.
  const start = filter.until === undefined ? everything.after : { ...everything.after, createdAt: Math.ceil(filter.until) }
  return { since, after: cursor === undefined ? start : decodeCursor(cursor, filter) }
}
