import type {
  CallOptions,
  ListingPosition,
  PageRequest,
  TaskShard,
  TaskDetails,
  TaskFilter,
  TaskId,
  TaskLife,
  TaskListing,
  TaskListingCapabilities,
  TaskPage,
  TaskProgress,
  UnfinishedOptions,
  UnreadableRow,
} from '@taskledger/core/ports'
import {
  codeOf,
  decodeCursor,
  encodeCursor,
  isFinalStatus,
  isLaterProgress,
  matches,
  mergeProgress,
  pageOf,
  shardOf,
  waitsSince,
} from '@taskledger/core/ports'
import { decodeProgress, decodeRow } from '@taskledger/core/codec'
import { copyOf } from '../copy.ts'
import { Gate } from '../gate.ts'
import { ListingOrder } from './listing-order.ts'

interface Row extends ListingPosition {
  /** The hash that decides the shard, kept because hashing every row for every shard would dominate the time of a sweep. */
  readonly hash: number
  details: TaskDetails
  /** Text that no codec wrote, which a test put in the place of the details. */
  text?: string | undefined
}

/** The part of the listing that all clients share. */
export interface ListedTasks {
  /** By {@link keyOf life}. */
  readonly rows: Map<string, Row>
  readonly all: ListingOrder<Row>
  /** The unfinished rows of `all`, to find them quickly among any number of finished ones. */
  readonly unfinished: ListingOrder<Row>
  /** By {@link keyOf life}. Kept apart from the rows, because progress has no version. Text is what a test put there. */
  readonly progress: Map<string, TaskProgress | string>
}

export const noListedTasks = (): ListedTasks => ({
  rows: new Map(),
  all: new ListingOrder(),
  unfinished: new ListingOrder(),
  progress: new Map(),
})

/** One client of the task listing. */
export class MemoryTaskListing implements TaskListing {
  readonly capabilities: TaskListingCapabilities = { durability: 'none' }
  readonly #gate = new Gate('the task listing')
  readonly #tasks: ListedTasks

  constructor(tasks: ListedTasks) {
    this.#tasks = tasks
  }

  async save(details: TaskDetails, options?: CallOptions): Promise<void> {
    this.#gate.pass(options?.signal)
    const { rows, all, unfinished, progress } = this.#tasks
    const { taskId, createdAt } = details
    const key = keyOf(details)
    const known = rows.get(key)
    if (known !== undefined && known.details.version >= details.version) return
    const row = known ?? { taskId, createdAt, details, hash: shardOf(taskId, 2 ** 32) }
    const wasUnfinished = known !== undefined && isUnfinished(known)
    row.details = copyOf(details)
    row.text = undefined
    if (known === undefined) {
      rows.set(key, row)
      all.add(row)
    }
    if (isUnfinished(row)) {
      if (!wasUnfinished) unfinished.add(row)
    } else {
      if (wasUnfinished) unfinished.remove(row)
      progress.delete(key)
    }
  }

  async list(filter: TaskFilter, { limit, cursor, signal }: PageRequest): Promise<TaskPage> {
    this.#gate.pass(signal)
    const start = cursor === undefined ? startOf(filter) : decodeCursor(cursor, filter)
    const rows: (TaskDetails | UnreadableRow)[] = []
    for (const row of this.#orderFor(filter).after(start)) {
      if (filter.since !== undefined && row.createdAt < filter.since) break
      if (!matches(row.details, filter)) continue
      const last = rows.at(-1)
      if (rows.length === limit && last !== undefined) return { ...pageOf(rows), cursor: encodeCursor(last, filter) }
      rows.push(this.#show(row))
    }
    return pageOf(rows)
  }

  async *unfinished(
    { shard, of }: TaskShard,
    options: UnfinishedOptions = {},
  ): AsyncGenerator<TaskDetails | UnreadableRow, void, undefined> {
    const { dueBefore, signal } = options
    this.#gate.pass(signal)
    // A copy, because other calls may add and remove rows during the iteration.
    const rowsNow: Row[] = []
    for (const row of this.#tasks.unfinished.after())
      if (row.hash % of === shard && (dueBefore === undefined || isDueBefore(dueBefore, row.details))) rowsNow.push(row)
    for (const row of rowsNow) {
      this.#gate.pass(signal)
      if (isUnfinished(row) && this.#tasks.rows.get(keyOf(row)) === row) yield this.#show(row)
    }
  }

  async saveProgress(task: TaskLife, progress: TaskProgress, options?: CallOptions): Promise<void> {
    this.#gate.pass(options?.signal)
    const key = keyOf(task)
    const row = this.#tasks.rows.get(key)
    if (row !== undefined && !isUnfinished(row)) return
    if (isLaterProgress(progress, readProgress(this.#tasks.progress.get(key)))) this.#tasks.progress.set(key, copyOf(progress))
  }

  async progress(task: TaskLife, options?: CallOptions): Promise<TaskProgress | undefined> {
    this.#gate.pass(options?.signal)
    return copyOf(readProgress(this.#tasks.progress.get(keyOf(task))))
  }

  async remove(task: TaskLife, options?: CallOptions): Promise<void> {
    this.#gate.pass(options?.signal)
    const { rows, all, unfinished, progress } = this.#tasks
    const key = keyOf(task)
    progress.delete(key)
    const row = rows.get(key)
    if (row === undefined) return
    rows.delete(key)
    all.remove(row)
    unfinished.remove(row)
  }

  async close(): Promise<void> {
    this.#gate.shut()
  }

  #orderFor({ statuses }: TaskFilter): ListingOrder<Row> {
    return statuses === undefined || statuses.some(isFinalStatus) ? this.#tasks.all : this.#tasks.unfinished
  }

  #show(row: Row): TaskDetails | UnreadableRow {
    if (row.text !== undefined) return decodeRow(row.text, row)
    return copyOf(mergeProgress(row.details, readProgress(this.#tasks.progress.get(keyOf(row)))))
  }
}

/** Puts text in the place of the details of a task's rows, as damage would. */
export const spoilRow = ({ rows }: ListedTasks, taskId: TaskId, text: string): void => {
  for (const row of rows.values()) if (row.taskId === taskId) row.text = text
}

/** Puts text in the place of the latest report of a task, as damage would. */
export const spoilProgress = ({ rows, progress }: ListedTasks, taskId: TaskId, text: string): void => {
  for (const row of rows.values()) if (row.taskId === taskId) progress.set(keyOf(row), text)
}

/** A report that cannot be decoded counts as none: the next one replaces it. */
const readProgress = (stored: TaskProgress | string | undefined): TaskProgress | undefined => {
  if (typeof stored !== 'string') return stored
  try {
    return decodeProgress(stored)
  } catch (error) {
    if (codeOf(error) !== 'MALFORMED') throw error
    return undefined
  }
}

/** The key of a life of a task: an id that is used again after a purge has rows and progress of its own. */
const keyOf = ({ taskId, createdAt }: TaskLife): string => `${taskId} ${createdAt}`

const isDueBefore = (time: number, details: TaskDetails): boolean => details.status === 'waiting' && waitsSince(details) < time

const isUnfinished = ({ details }: Row): boolean => !isFinalStatus(details.status)

/** Where a first page begins. The empty id comes last among equal times, so no task created at `until` itself is listed. */
const startOf = ({ until }: TaskFilter): ListingPosition | undefined =>
  until === undefined ? undefined : { createdAt: until, taskId: '' as TaskId }
