import { encodeDetails } from '@taskledger/core/codec'
import type {
  CallOptions,
  PageRequest,
  TaskShard,
  TaskDetails,
  TaskFilter,
  TaskId,
  TaskListing,
  TaskListingCapabilities,
  TaskPage,
  TaskProgress,
} from '@taskledger/core/ports'
import { decodeCursor, encodeCursor } from '@taskledger/core/ports'
import { abortable } from './abortable.ts'
import type { Lease } from './lease.ts'
import type { ListTableOptions } from './list-table.ts'
import { ListTable } from './list-table.ts'
import type { Partition } from './listing-buckets.ts'
import { planOf } from './listing-facets.ts'
import { readTasks } from './listing-page.ts'
import type { Stretch } from './listing-rows.ts'
import { everything } from './listing-rows.ts'
import type { Snapshot } from './listing-saves.ts'
import { Saves } from './listing-saves.ts'
import { requestsOf } from './listing-requests.ts'
import type { ListingSession } from './listing-session.ts'
import { trustedForMs } from './partition-index.ts'
import { ProgressTable } from './progress.ts'
import { UnfinishedTable } from './unfinished-table.ts'

export interface CassandraTaskListingOptions extends ListTableOptions {
  readonly session: ListingSession
  readonly lease: Lease
}

/** The listing on three kinds of tables: the list itself, what is unfinished of it, and the progress. */
export class CassandraTaskListing implements TaskListing {
  readonly capabilities: TaskListingCapabilities = { durability: true }
  readonly #lease: Lease
  readonly #list: ListTable
  readonly #unfinished: UnfinishedTable
  readonly #progress: ProgressTable
  readonly #saves: Saves

  constructor({ session, lease, ...options }: CassandraTaskListingOptions) {
    this.#lease = lease
    this.#list = new ListTable(session, options)
    this.#unfinished = new UnfinishedTable(session)
    this.#progress = new ProgressTable(session)
    this.#saves = new Saves(async (snapshots) => {
      const batches = [this.#list, this.#unfinished].map((table) => snapshots.flatMap(({ details, text }) => table.upserts(details, text)))
      await Promise.all(requestsOf(batches).map((statements) => session.batch(statements, { isRepeatable: true })))
    })
  }

  async save(details: TaskDetails, options: CallOptions = {}): Promise<void> {
    this.#lease.enter(options.signal)
    const snapshot = { details: { ...details, labels: [...details.labels] }, text: encodeDetails(details) }
    await abortable(this.#write(snapshot), options.signal)
  }

  /** All at once. The save has not happened before all of it has, and so no row that counts is without its index row. */
  async #write(snapshot: Snapshot): Promise<void> {
    const { details } = snapshot
    const begun = performance.now()
    const note = (): Promise<unknown> => Promise.all([this.#list.note(details), this.#unfinished.note(details)])
    const partitions = [this.#list.table.partitionOf(details), this.#unfinished.table.partitionOf(details)]
    await Promise.all([note(), this.#saves.save(partitions.map(keyOf).join(' '), snapshot)])
    // A row that was long in coming may have come after its index row was deleted: see PartitionIndex.
    if (performance.now() - begun > trustedForMs) await note()
  }

  async list(filter: TaskFilter, { limit, cursor, ...options }: PageRequest): Promise<TaskPage> {
    this.#lease.enter(options.signal)
    const stretch = stretchOf(filter, cursor)
    const plan = planOf(filter)
    // One more than asked for, to know whether there is a next page.
    const rows = plan.type === 'unfinished' ? this.#unfinished.table.by([plan.facet]) : this.#list.table.by(plan.facets)
    const found = await readTasks(rows, filter, stretch, limit + 1, options)
    const tasks = await this.#progress.shownIn(found.slice(0, limit), options)
    const last = tasks.at(-1)
    return found.length > limit && last !== undefined ? { tasks, cursor: encodeCursor(last, filter) } : { tasks }
  }

  async *unfinished(shard: TaskShard, options: CallOptions = {}): AsyncGenerator<TaskDetails, void, undefined> {
    this.#lease.enter(options.signal)
    for await (const tasks of this.#unfinished.walk(shard, options)) {
      for (const task of await this.#progress.shownIn(tasks, options)) {
        yield task
        // Whoever walks takes his time.
        this.#lease.enter(options.signal)
      }
    }
  }

  async saveProgress(taskId: TaskId, progress: TaskProgress, options: CallOptions = {}): Promise<void> {
    this.#lease.enter(options.signal)
    await this.#progress.save(taskId, progress, options)
  }

  async progress(taskId: TaskId, options: CallOptions = {}): Promise<TaskProgress | undefined> {
    this.#lease.enter(options.signal)
    return this.#progress.of(taskId, options)
  }

  async remove(task: Pick<TaskDetails, 'taskId' | 'createdAt'>, options: CallOptions = {}): Promise<void> {
    this.#lease.enter(options.signal)
    await Promise.all([
      this.#list.remove(task, options),
      this.#unfinished.remove(task, options),
      this.#progress.remove(task.taskId, options),
    ])
  }

  async close(): Promise<void> {
    await this.#lease.close()
  }
}

const keyOf = ({ bucket, shard }: Partition): string => `${bucket} ${shard}`

const stretchOf = (filter: TaskFilter, cursor: string | undefined): Stretch => {
  // Tasks are created on whole milliseconds, and the engine knows no others.
  const since = filter.since === undefined ? everything.since : Math.ceil(filter.since)
  // No task id comes after the empty one, so of the time `until` itself nothing is listed.
  const start = filter.until === undefined ? everything.after : { ...everything.after, createdAt: Math.ceil(filter.until) }
  return { since, after: cursor === undefined ? start : decodeCursor(cursor, filter) }
}
