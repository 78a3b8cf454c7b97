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
import { abortable } from '../connection/abortable.ts'
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

/** The listing on three kinds of tables: the list itself, what is unfinished of it, and the progress. */
export class CassandraTaskListing implements TaskListing {
  readonly capabilities: TaskListingCapabilities = { durability: true }
  readonly #share: SessionShare
  readonly #allTasks: AllTasksTable
  readonly #unfinished: UnfinishedTable
  readonly #progress: ProgressTable
  readonly #saves: Saves

  constructor({ session, share, ...options }: CassandraTaskListingOptions) {
    this.#share = share
    this.#allTasks = new AllTasksTable(session, options)
    this.#unfinished = new UnfinishedTable(session)
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
    await abortable(this.#write(snapshot), options.signal)
  }

  /** All at once. The save has not happened before all of it has, and so no row that counts is without its index row. */
  async #write(snapshot: Snapshot): Promise<void> {
    const { details } = snapshot
    const begun = performance.now()
    const note = (): Promise<unknown> => Promise.all([this.#allTasks.note(details), this.#unfinished.note(details)])
    const partitions = [this.#allTasks.table.partitionOf(details), this.#unfinished.table.partitionOf(details)]
    await Promise.all([note(), this.#saves.save(partitions.map(keyOf).join(' '), snapshot)])
    // A row that was long in coming may have come after its index row was deleted: see PartitionIndex.
    if (performance.now() - begun > trustedForMs) await note()
  }

  async list(filter: TaskFilter, { limit, cursor, ...options }: PageRequest): Promise<TaskPage> {
    this.#share.enter(options.signal)
    const stretch = stretchOf(filter, cursor)
    const plan = planOf(filter)
    // One more than asked for, to know whether there is a next page.
    const rows = plan.type === 'unfinished' ? this.#unfinished.table.by([plan.facet]) : this.#allTasks.table.by(plan.facets)
    const found = await readTasks(rows, filter, stretch, limit + 1, options)
    const tasks = await this.#progress.shownIn(found.slice(0, limit), options)
    const last = tasks.at(-1)
    return found.length > limit && last !== undefined ? { tasks, cursor: encodeCursor(last, filter) } : { tasks }
  }

  async *unfinished(shard: TaskShard, options: CallOptions = {}): AsyncGenerator<TaskDetails, void, undefined> {
    this.#share.enter(options.signal)
    for await (const tasks of this.#unfinished.walk(shard, options)) {
      for (const task of await this.#progress.shownIn(tasks, options)) {
        yield task
        // Whoever walks takes his time.
        this.#share.enter(options.signal)
      }
    }
  }

  async saveProgress(taskId: TaskId, progress: TaskProgress, options: CallOptions = {}): Promise<void> {
    this.#share.enter(options.signal)
    await this.#progress.save(taskId, progress, options)
  }

  async progress(taskId: TaskId, options: CallOptions = {}): Promise<TaskProgress | undefined> {
    this.#share.enter(options.signal)
    return this.#progress.of(taskId, options)
  }

  async remove(task: Pick<TaskDetails, 'taskId' | 'createdAt'>, options: CallOptions = {}): Promise<void> {
    this.#share.enter(options.signal)
    await Promise.all([
      this.#allTasks.remove(task, options),
      this.#unfinished.remove(task, options),
      this.#progress.remove(task.taskId, options),
    ])
  }

  async close(): Promise<void> {
    await this.#share.close()
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
