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
  UnreadableRow,
} from '@taskledger/core/ports'
import {
  closedError,
  compareListed,
  decodeCursor,
  encodeCursor,
  isFinalStatus,
  isLaterProgress,
  matches,
  mergeProgress,
  pageOf,
  shardOf,
} from '@taskledger/core/ports'

/** The rows that the clients of a plain listing share. */
export class Table {
  readonly rows: Map<string, TaskDetails> = new Map()
  readonly progress: Map<string, TaskProgress> = new Map()
  /** The tasks whose rows cannot be decoded. */
  readonly spoilt: Set<TaskId> = new Set()
  /** The tasks whose progress cannot be decoded. */
  readonly spoiltProgress: Set<TaskId> = new Set()
  /** The rows in order, until one of them changes. */
  order: readonly TaskDetails[] | undefined
  rowsRead = 0

  /** Counts the row as read. */
  read<Row extends TaskDetails | undefined>(row: Row): Row {
    this.rowsRead++
    return row
  }
}

/** A correct listing in small steps. A mutant gets one step wrong. */
export class PlainListing implements TaskListing {
  readonly capabilities: TaskListingCapabilities = { durability: 'restart' }
  readonly table: Table
  #closed = false

  constructor(table: Table) {
    this.table = table
  }

  async save(details: TaskDetails, options?: CallOptions): Promise<void> {
    await this.enter(options)
    const key = this.rowKeyOf(details)
    const known = this.table.rows.get(key)
    if (!this.wins(details, known)) return
    this.table.rows.set(key, this.merged(this.copyOf(details), known))
    this.table.spoilt.delete(details.taskId)
    this.table.order = undefined
  }

  async list(filter: TaskFilter, { limit, cursor, signal }: PageRequest): Promise<TaskPage> {
    await this.enter({ ...(signal && { signal }) })
    const order = (this.table.order ??= this.sorted())
    const rows: (TaskDetails | UnreadableRow)[] = []
    for (let index = cursor === undefined ? 0 : this.indexAfter(order, cursor, filter); index < order.length; index++) {
      const row = this.table.read(order[index])
      if (row === undefined || !this.meets(row, filter)) continue
      const last = rows.at(-1)
      if (rows.length === limit && last !== undefined) return { ...pageOf(rows), cursor: this.cursorAt(last, index, filter) }
      rows.push(...this.decoded(row))
    }
    return pageOf(rows)
  }

  /** Every row, in the order of the list. */
  sorted(): readonly TaskDetails[] {
    return Array.from(this.table.rows.values(), (row) => this.table.read(row)).sort((a, b) => this.compare(a, b))
  }

  async *unfinished({ shard, of }: TaskShard, options?: CallOptions): AsyncGenerator<TaskDetails | UnreadableRow, void, undefined> {
    await this.enter(options)
    for (const row of this.table.rows.values()) {
      options?.signal?.throwIfAborted()
      if (this.isOpen(row) && this.isIn(row, shard, of)) yield* this.decoded(row)
    }
  }

  async saveProgress(task: TaskLife, progress: TaskProgress, options?: CallOptions): Promise<void> {
    await this.enter(options)
    if (!this.isLater(progress, this.reportOf(task))) return
    this.table.progress.set(this.progressKeyOf(task), this.copyOf(progress))
    this.table.spoiltProgress.delete(task.taskId)
  }

  async progress(task: TaskLife, options?: CallOptions): Promise<TaskProgress | undefined> {
    await this.enter(options)
    return this.copyOf(this.reportOf(task))
  }

  async remove(task: TaskLife, options?: CallOptions): Promise<void> {
    await this.enter(options)
    this.table.rows.delete(this.rowKeyOf(task))
    this.table.spoilt.delete(task.taskId)
    this.table.progress.delete(this.progressKeyOf(task))
    this.table.order = undefined
  }

  rowKeyOf({ taskId, createdAt }: TaskLife): string {
    return `${taskId} ${createdAt}`
  }

  progressKeyOf(task: TaskLife): string {
    return this.rowKeyOf(task)
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  async enter(options?: CallOptions): Promise<void> {
    if (this.#closed) throw closedError('the plain listing')
    options?.signal?.throwIfAborted()
  }

  copyOf<Value>(value: Value): Value {
    return structuredClone(value)
  }

  wins(details: TaskDetails, known: TaskDetails | undefined): boolean {
    return known === undefined || details.version > known.version
  }

  merged(details: TaskDetails, _known: TaskDetails | undefined): TaskDetails {
    return details
  }

  compare(a: ListingPosition, b: ListingPosition): number {
    return compareListed(a, b)
  }

  meets(row: TaskDetails, filter: TaskFilter): boolean {
    return matches(row, filter)
  }

  cursorAt(last: ListingPosition, _index: number, filter: TaskFilter): string {
    return encodeCursor(last, filter)
  }

  /** The index of the first row after the cursor, by a binary search. */
  indexAfter(order: readonly TaskDetails[], cursor: string, filter: TaskFilter): number {
    const position = decodeCursor(cursor, filter)
    let low = 0
    let high = order.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const row = this.table.read(order[middle])
      if (row !== undefined && this.compare(row, position) <= 0) low = middle + 1
      else high = middle
    }
    return low
  }

  isOpen({ status }: TaskDetails): boolean {
    return !isFinalStatus(status)
  }

  isIn({ taskId }: TaskDetails, shard: number, of: number): boolean {
    return shardOf(taskId, of) === shard
  }

  isLater(progress: TaskProgress, known: TaskProgress | undefined): boolean {
    return isLaterProgress(progress, known)
  }

  /** The row, with its progress; or that it cannot be decoded. */
  decoded(row: TaskDetails): readonly (TaskDetails | UnreadableRow)[] {
    const { taskId, createdAt } = row
    return this.table.spoilt.has(taskId) ? [{ taskId, createdAt, unreadable: 'it is spoilt' }] : [this.shown(row)]
  }

  shown(row: TaskDetails): TaskDetails {
    return this.copyOf(mergeProgress(row, this.reportOf(row)))
  }

  /** The latest report, unless it cannot be decoded. */
  reportOf(task: TaskLife): TaskProgress | undefined {
    return this.table.spoiltProgress.has(task.taskId) ? undefined : this.table.progress.get(this.progressKeyOf(task))
  }
}
