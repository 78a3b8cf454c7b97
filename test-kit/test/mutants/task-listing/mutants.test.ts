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
  TaskPage,
  TaskProgress,
  UnfinishedOptions,
  UnreadableRow,
} from '@taskledger/core/ports'
import { cohortOf, hasCode, isFinalStatus, isLaterProgress, isUnreadableRow, shardOf, TaskledgerError } from '@taskledger/core/ports'
import type { Harness } from '@taskledger/test-kit'
import { register, runContract, taskListingContract } from '@taskledger/test-kit'
import { expect, it } from 'vitest'
import { PlainListing, Table } from './plain-listing.ts'
import type { Mutant } from '../run-mutant.ts'
import { describeMutants, everyRuleIsCaught } from '../run-mutant.ts'

type Broken = new (table: Table) => TaskListing

/** More rows than the rules about short lists write. */
const pageRows = 200

interface MutantOptions {
  readonly restart?: (table: Table) => void
  readonly pageRows?: number
}

const harnessOf = (Listing: Broken, { restart = () => {}, ...options }: MutantOptions = {}): Harness<TaskListing> => ({
  name: Listing.name,
  pageRows,
  ...options,
  open: async () => {
    const table = new Table()
    return {
      port: new Listing(table),
      peer: async () => new Listing(table),
      faults: { restart: async () => restart(table) },
      rowsRead: () => table.rowsRead,
      inject: async (_bytes, taskId) => void table.spoilt.add(taskId as TaskId),
      injectProgress: async (_bytes, taskId) => void table.spoiltProgress.add(taskId as TaskId),
    }
  },
})

/** The rows of one page, and none behind it. */
const firstPageOf = async function* <Row>(rows: AsyncIterable<Row>): AsyncGenerator<Row, void, undefined> {
  let count = 0
  for await (const row of rows) {
    yield row
    if (++count === pageRows) return
  }
}

const mutant = (name: string, fails: readonly string[], Listing: Broken, options?: MutantOptions): Mutant<TaskListing> => {
  const contract = taskListingContract(harnessOf(Listing, options))
  const isAboutSize = fails.length === 0 || bigRules.some((id) => fails.includes(id))
  const ids = contract.rules.map(({ id }) => id)
  return { name, fails, contract, only: isAboutSize ? ids : ids.filter((id) => !bigRules.includes(id)) }
}

/** They save thousands of tasks and take as long as all other rules together, so only the mutants of these rules run them. */
const bigRules: readonly string[] = ['TL-2.5', 'TL-2.6', 'TL-2.7', 'TL-3.5']

/** A turn of the event loop, in which other calls come first. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const mutants: readonly Mutant<TaskListing>[] = [
  mutant('is right: the base of the mutants', [], PlainListing),
  mutant(
    'trusts the order of saves',
    ['TL-1.1', 'TL-1.5', 'TL-3.1'],
    class extends PlainListing {
      override wins(): boolean {
        return true
      }
    },
  ),
  mutant(
    'reads, then writes',
    ['TL-1.1', 'TL-1.5', 'TL-T.5'],
    class extends PlainListing {
      override async save(details: TaskDetails, options?: CallOptions): Promise<void> {
        const known = this.table.rows.get(this.rowKeyOf(details))
        await this.enter(options)
        await turn()
        if (!this.wins(details, known)) return
        this.table.rows.set(this.rowKeyOf(details), this.copyOf(details))
        this.table.spoilt.delete(details.taskId)
        this.table.order = undefined
      }
    },
  ),
  mutant(
    'compares the versions of one client only',
    ['TL-1.1'],
    class extends PlainListing {
      readonly #versions = new Map<TaskId, number>()

      override wins({ taskId, version }: TaskDetails): boolean {
        const wins = version > (this.#versions.get(taskId) ?? 0)
        if (wins) this.#versions.set(taskId, version)
        return wins
      }
    },
  ),
  mutant(
    'forgets the progress at every save, also at a repeated save',
    ['TL-1.2', 'TL-4.2', 'TL-4.5'],
    class extends PlainListing {
      override async save(details: TaskDetails, options?: CallOptions): Promise<void> {
        await super.save(details, options)
        const key = this.rowKeyOf(details)
        if ((this.table.rows.get(key)?.version ?? 0) <= details.version) this.table.progress.delete(key)
      }
    },
  ),
  mutant(
    'keeps values that a later version no longer has',
    ['TL-1.3', 'TL-3.1'],
    class extends PlainListing {
      override merged(details: TaskDetails, known: TaskDetails | undefined): TaskDetails {
        return { ...known, ...details }
      }
    },
  ),
  mutant(
    'drops saves when too many of a task wait',
    ['TL-1.5'],
    class extends PlainListing {
      readonly #waiting = new Map<TaskId, number>()

      override async save(details: TaskDetails, options?: CallOptions): Promise<void> {
        const waiting = this.#waiting.get(details.taskId) ?? 0
        if (waiting > 20) return this.enter(options)
        this.#waiting.set(details.taskId, waiting + 1)
        await turn()
        await super.save(details, options)
        this.#waiting.set(details.taskId, (this.#waiting.get(details.taskId) ?? 0) - 1)
      }
    },
  ),
  mutant(
    'resolves an overtaken save before it or the newer save is written',
    ['TL-1.5', 'TL-5.2'],
    class extends PlainListing {
      readonly #under = new Map<TaskId, number>()

      override async save(details: TaskDetails, options?: CallOptions): Promise<void> {
        await this.enter(options)
        const { taskId, version } = details
        if ((this.#under.get(taskId) ?? 0) > 4 && version < 30) return
        this.#under.set(taskId, Math.max(version, this.#under.get(taskId) ?? 0))
        await turn()
        await super.save(details, options)
      }
    },
  ),
  mutant(
    'has room for one unfinished task of a cohort in each of eight places',
    ['TL-3.3'],
    class extends PlainListing {
      override isOpen(row: TaskDetails): boolean {
        if (!super.isOpen(row)) return false
        const placeOf = ({ taskId }: TaskDetails): string => cohortOf(taskId) + (parseInt(taskId.slice(-4), 16) % 8)
        const rivals = [...this.table.rows.values()].filter((other) => super.isOpen(other) && placeOf(other) === placeOf(row))
        return rivals.at(-1)?.taskId === row.taskId
      }
    },
  ),
  mutant(
    'finds shards by the whole id',
    ['TL-3.2', 'TL-3.3', 'TL-7.2'],
    class extends PlainListing {
      override isIn({ taskId }: TaskDetails, shard: number, of: number): boolean {
        return shardOf(`${taskId}0000` as TaskId, of) === shard
      }
    },
  ),
  mutant('keeps rows in memory only, and declares durability', ['TL-1.4'], PlainListing, {
    restart: (table) => {
      table.rows.clear()
      table.order = undefined
    },
  }),
  mutant(
    'lists the oldest first',
    ['TL-2.1', 'TL-2.2', 'TL-2.3', 'TL-5.2', 'TL-7.1', 'TL-7.3'],
    class extends PlainListing {
      override compare(a: ListingPosition, b: ListingPosition): number {
        return super.compare(b, a)
      }
    },
  ),
  mutant(
    'lists tasks of the same second in the order of their ids',
    ['TL-2.1', 'TL-5.2'],
    class extends PlainListing {
      override compare(a: ListingPosition, b: ListingPosition): number {
        const [secondA, secondB] = [Math.floor(a.createdAt / 1_000), Math.floor(b.createdAt / 1_000)]
        return super.compare({ ...a, createdAt: secondA }, { ...b, createdAt: secondB })
      }
    },
  ),
  mutant(
    'returns a cursor that leads to an empty page',
    ['TL-2.1', 'TL-7.1'],
    class extends PlainListing {
      override async list(filter: TaskFilter, page: PageRequest): Promise<TaskPage> {
        const { tasks, cursor } = await super.list(filter, page)
        const last = tasks.at(-1)
        if (cursor !== undefined) return { tasks, cursor }
        return last === undefined || tasks.length < page.limit ? { tasks } : { tasks, cursor: this.cursorAt(last, 0, filter) }
      }
    },
  ),
  mutant(
    'returns short pages',
    ['TL-2.1'],
    class extends PlainListing {
      override list(filter: TaskFilter, page: PageRequest): Promise<TaskPage> {
        return super.list(filter, { ...page, limit: Math.max(1, page.limit - 1) })
      }
    },
  ),
  mutant(
    'treats until as inclusive',
    ['TL-2.2'],
    class extends PlainListing {
      override meets(row: TaskDetails, { until, ...filter }: TaskFilter): boolean {
        return super.meets(row, filter) && (until === undefined || row.createdAt <= until)
      }
    },
  ),
  mutant(
    'checks only one property of a filter',
    ['TL-2.2'],
    class extends PlainListing {
      override meets(row: TaskDetails, filter: TaskFilter): boolean {
        const [first] = Object.entries(filter)
        return first === undefined || super.meets(row, { [first[0]]: first[1] as unknown })
      }
    },
  ),
  mutant(
    'checks only the first status of a filter',
    ['TL-2.2'],
    class extends PlainListing {
      override meets(row: TaskDetails, { statuses, ...filter }: TaskFilter): boolean {
        return super.meets(row, statuses === undefined ? filter : { ...filter, statuses: statuses.slice(0, 1) })
      }
    },
  ),
  mutant(
    'filters a page after reading it, and returns a short page',
    ['TL-2.2'],
    class extends PlainListing {
      override async list(filter: TaskFilter, page: PageRequest): Promise<TaskPage> {
        const { tasks } = await super.list({}, { limit: page.limit, ...(page.signal && { signal: page.signal }) })
        const whole = await super.list(filter, page)
        return page.cursor === undefined && tasks.length === page.limit && page.limit === 10
          ? { tasks: tasks.filter((row) => this.meets(row, filter)) }
          : whole
      }
    },
  ),
  mutant(
    'counts rows in its cursor',
    ['TL-2.3'],
    class extends PlainListing {
      override cursorAt(last: TaskDetails, index: number, filter: TaskFilter): string {
        return `${index}.${super.cursorAt(last, index, filter)}`
      }

      override indexAfter(order: readonly TaskDetails[], cursor: string, filter: TaskFilter): number {
        super.indexAfter(order, cursor.slice(cursor.indexOf('.') + 1), filter)
        return Number(cursor.slice(0, cursor.indexOf('.')))
      }
    },
  ),
  mutant(
    'keeps the state of a cursor in the client',
    ['TL-2.3'],
    class extends PlainListing {
      readonly #cursors = new Set<string>()

      override cursorAt(last: TaskDetails, index: number, filter: TaskFilter): string {
        const cursor = super.cursorAt(last, index, filter)
        this.#cursors.add(cursor)
        return cursor
      }

      override indexAfter(order: readonly TaskDetails[], cursor: string, filter: TaskFilter): number {
        return this.#cursors.has(cursor) ? super.indexAfter(order, cursor, filter) : super.indexAfter(order, 'unknown', filter)
      }
    },
  ),
  mutant(
    'begins again at an unknown cursor',
    ['TL-2.4'],
    class extends PlainListing {
      override indexAfter(order: readonly TaskDetails[], cursor: string, filter: TaskFilter): number {
        try {
          return super.indexAfter(order, cursor, filter)
        } catch (error) {
          if (hasCode(error, 'INVALID_CURSOR')) return 0
          throw error
        }
      }
    },
  ),
  mutant(
    'accepts a cursor of any filter',
    ['TL-2.4'],
    class extends PlainListing {
      override cursorAt(last: TaskDetails, index: number): string {
        return super.cursorAt(last, index, {})
      }

      override indexAfter(order: readonly TaskDetails[], cursor: string): number {
        return super.indexAfter(order, cursor, {})
      }
    },
  ),
  mutant(
    'sorts everything for every page',
    ['TL-2.5'],
    class extends PlainListing {
      override async list(filter: TaskFilter, page: PageRequest): Promise<TaskPage> {
        this.table.order = undefined
        return super.list(filter, page)
      }
    },
  ),
  mutant(
    'walks from the newest task to where the page begins',
    ['TL-2.5'],
    class extends PlainListing {
      override indexAfter(order: readonly TaskDetails[], cursor: string, filter: TaskFilter): number {
        const index = super.indexAfter(order, cursor, filter)
        for (const row of order.slice(0, index)) this.table.read(row)
        return index
      }
    },
  ),
  mutant(
    'gives up after 2,000 rows',
    ['TL-2.7'],
    class extends PlainListing {
      #read = 0

      override async list(filter: TaskFilter, page: PageRequest): Promise<TaskPage> {
        this.#read = 0
        return super.list(filter, page)
      }

      override meets(row: TaskDetails, filter: TaskFilter): boolean {
        return ++this.#read <= 2_000 && super.meets(row, filter)
      }
    },
  ),
  mutant(
    'stops a walk at the first full page of the engine',
    ['TL-2.5', 'TL-2.6', 'TL-2.7'],
    class extends PlainListing {
      override async list(filter: TaskFilter, page: PageRequest): Promise<TaskPage> {
        const order = (this.table.order ??= this.sorted())
        const start = page.cursor === undefined ? 0 : this.indexAfter(order, page.cursor, filter)
        this.#last = order[start + pageRows - 1]
        return super.list(filter, page)
      }

      #last: TaskDetails | undefined

      override meets(row: TaskDetails, filter: TaskFilter): boolean {
        return super.meets(row, filter) && (this.#last === undefined || this.compare(row, this.#last) <= 0)
      }
    },
  ),
  mutant(
    'loses the row behind a full page of the engine',
    ['TL-2.6'],
    class extends PlainListing {
      override async list(filter: TaskFilter, page: PageRequest): Promise<TaskPage> {
        const order = (this.table.order ??= this.sorted())
        const start = page.cursor === undefined ? 0 : this.indexAfter(order, page.cursor, filter)
        this.#lost = order[start + pageRows]
        return super.list(filter, page)
      }

      #lost: TaskDetails | undefined

      override meets(row: TaskDetails, filter: TaskFilter): boolean {
        return row !== this.#lost && super.meets(row, filter)
      }
    },
  ),
  mutant(
    'reads one page of the tasks that are due',
    ['TL-3.5'],
    class extends PlainListing {
      override async *unfinished(
        shard: TaskShard,
        options?: UnfinishedOptions,
      ): AsyncGenerator<TaskDetails | UnreadableRow, void, undefined> {
        const rows = super.unfinished(shard, options)
        yield* options?.dueBefore === undefined ? rows : firstPageOf(rows)
      }
    },
  ),
  mutant(
    'reads one page of the unfinished tasks',
    ['TL-3.5'],
    class extends PlainListing {
      override async *unfinished(
        shard: TaskShard,
        options?: UnfinishedOptions,
      ): AsyncGenerator<TaskDetails | UnreadableRow, void, undefined> {
        yield* firstPageOf(super.unfinished(shard, options))
      }
    },
  ),
  mutant(
    'counts the progress of the details as a report',
    ['TL-4.5'],
    class extends PlainListing {
      override async progress(task: TaskLife, options?: CallOptions): Promise<TaskProgress | undefined> {
        await this.enter(options)
        const row = this.table.rows.get(this.rowKeyOf(task))
        return this.copyOf(row === undefined ? this.reportOf(task) : (this.shown(row).progress as TaskProgress | undefined))
      }
    },
  ),
  mutant(
    'fails at a report of progress that it cannot decode',
    ['TL-7.4'],
    class extends PlainListing {
      override reportOf(task: TaskLife): TaskProgress | undefined {
        if (this.table.spoiltProgress.has(task.taskId)) throw new TaskledgerError('MALFORMED', 'a report cannot be decoded')
        return super.reportOf(task)
      }
    },
  ),
  mutant(
    'names a row that it can decode among the unreadable, because of its progress',
    ['TL-7.4'],
    class extends PlainListing {
      override decoded(row: TaskDetails): readonly (TaskDetails | UnreadableRow)[] {
        const { taskId, createdAt } = row
        return this.table.spoiltProgress.has(taskId) ? [{ taskId, createdAt, unreadable: 'its progress is spoilt' }] : super.decoded(row)
      }
    },
  ),
  mutant(
    'keeps a report that it cannot decode',
    ['TL-7.4'],
    class extends PlainListing {
      override isLater(progress: TaskProgress, known: TaskProgress | undefined): boolean {
        return super.isLater(progress, known) && !(known === undefined && this.table.spoiltProgress.size > 0)
      }
    },
  ),
  mutant(
    'treats cancelled tasks as unfinished',
    ['TL-1.1', 'TL-3.1', 'TL-4.4', 'TL-5.2'],
    class extends PlainListing {
      override isOpen({ status }: TaskDetails): boolean {
        return status === 'cancelled' || !isFinalStatus(status)
      }
    },
  ),
  mutant(
    'leaves tasks that wait again out of the unfinished tasks',
    ['TL-3.1', 'TL-4.2', 'TL-4.3'],
    class extends PlainListing {
      override isOpen(row: TaskDetails): boolean {
        return super.isOpen(row) && (row.status !== 'waiting' || row.attempt === 0)
      }
    },
  ),
  mutant(
    'leaves out tasks that were not due at their first save',
    ['TL-3.4'],
    class extends PlainListing {
      override async *unfinished(
        shard: TaskShard,
        options?: UnfinishedOptions,
      ): AsyncGenerator<TaskDetails | UnreadableRow, void, undefined> {
        const { dueBefore = Infinity } = options ?? {}
        for await (const row of super.unfinished(shard, options)) if (isUnreadableRow(row) || row.updatedAt < dueBefore) yield row
      }
    },
  ),
  mutant(
    'puts a task into two shards',
    ['TL-3.2', 'TL-3.3', 'TL-3.4'],
    class extends PlainListing {
      override isIn(row: TaskDetails, shard: number, of: number): boolean {
        return super.isIn(row, shard, of) || (of > 2 && super.isIn(row, (shard + 1) % of, of))
      }
    },
  ),
  mutant(
    'has shards of its own',
    ['TL-3.2', 'TL-3.3', 'TL-7.2'],
    class extends PlainListing {
      override isIn({ taskId }: TaskDetails, shard: number, of: number): boolean {
        return Number.parseInt(taskId.slice(-4), 16) % of === shard
      }
    },
  ),
  mutant(
    'ignores the attempt of a report',
    ['TL-4.1', 'TL-4.3'],
    class extends PlainListing {
      override isLater(progress: TaskProgress, known: TaskProgress | undefined): boolean {
        return known === undefined || progress.sequence > known.sequence
      }
    },
  ),
  mutant(
    'treats the last report to arrive as the latest',
    ['TL-4.1'],
    class extends PlainListing {
      override isLater(): boolean {
        return true
      }
    },
  ),
  mutant(
    'treats a report of progress as a sign that the task runs',
    ['TL-4.2', 'TL-4.3', 'TL-4.4', 'TL-5.2'],
    class extends PlainListing {
      override async saveProgress(task: TaskLife, progress: TaskProgress, options?: CallOptions): Promise<void> {
        await super.saveProgress(task, progress, options)
        const row = this.table.rows.get(this.rowKeyOf(task))
        if (row === undefined) return
        this.table.rows.set(this.rowKeyOf(task), { ...row, status: 'inProgress' })
        this.table.order = undefined
      }
    },
  ),
  mutant(
    'creates a row for the progress of an unknown task',
    ['TL-4.2', 'TL-5.2'],
    class extends PlainListing {
      override async saveProgress(task: TaskLife, progress: TaskProgress, options?: CallOptions): Promise<void> {
        await super.saveProgress(task, progress, options)
        if (!this.table.rows.has(this.rowKeyOf(task))) {
          const phantom = { ...task, version: 0, status: 'waiting', labels: [] as readonly string[] }
          this.table.rows.set(this.rowKeyOf(task), phantom as unknown as TaskDetails)
          this.table.order = undefined
        }
      }
    },
  ),
  mutant(
    'does not show progress in rows',
    ['TL-1.2', 'TL-4.1', 'TL-4.2', 'TL-4.3', 'TL-5.1', 'TL-5.2', 'TL-6.1', 'TL-6.2'],
    class extends PlainListing {
      override shown(row: TaskDetails): TaskDetails {
        return this.copyOf(row)
      }
    },
  ),
  mutant(
    'shows reported progress even where the details have later progress',
    ['TL-4.3'],
    class extends PlainListing {
      override shown(row: TaskDetails): TaskDetails {
        const progress = this.reportOf(row)
        return isFinalStatus(row.status) || progress === undefined ? super.shown(row) : this.copyOf({ ...row, progress })
      }
    },
  ),
  mutant(
    'shows late progress of a finished task',
    ['TL-4.4'],
    class extends PlainListing {
      override shown(row: TaskDetails): TaskDetails {
        const progress = this.reportOf(row)
        return this.copyOf(
          isLaterProgress(progress ?? { attempt: 0, sequence: 0, at: 0, value: null }, row.progress) && progress
            ? { ...row, progress }
            : row,
        )
      }
    },
  ),
  mutant(
    'removes the row and leaves the progress',
    ['TL-5.1'],
    class extends PlainListing {
      override async remove(task: TaskDetails, options?: CallOptions): Promise<void> {
        const key = this.progressKeyOf(task)
        const progress = this.table.progress.get(key)
        await super.remove(task, options)
        if (progress !== undefined) this.table.progress.set(key, progress)
      }
    },
  ),
  mutant(
    'removes unfinished tasks only',
    ['TL-5.1', 'TL-5.2'],
    class extends PlainListing {
      override async remove(task: TaskDetails, options?: CallOptions): Promise<void> {
        const row = this.table.rows.get(this.rowKeyOf(task))
        if (row === undefined || this.isOpen(row)) await super.remove(task, options)
        else await this.enter(options)
      }
    },
  ),
  mutant(
    'names rows by id alone',
    ['TL-5.2'],
    class extends PlainListing {
      override rowKeyOf({ taskId }: TaskLife): string {
        return taskId
      }
    },
  ),
  mutant(
    'names progress by id alone',
    ['TL-5.2'],
    class extends PlainListing {
      override progressKeyOf({ taskId }: TaskLife): string {
        return taskId
      }
    },
  ),
  mutant(
    'removes every life of an id',
    ['TL-5.2'],
    class extends PlainListing {
      override async remove(task: TaskLife, options?: CallOptions): Promise<void> {
        const lives = [...this.table.rows.values()].filter(({ taskId }) => taskId === task.taskId)
        for (const life of [task, ...lives]) await super.remove(life, options)
      }
    },
  ),
  mutant(
    'shows the details of one life for every row of an id',
    ['TL-5.2'],
    class extends PlainListing {
      override shown(row: TaskDetails): TaskDetails {
        const last = [...this.table.rows.values()].findLast(({ taskId }) => taskId === row.taskId)
        return super.shown(last ?? row)
      }
    },
  ),
  mutant(
    'writes one byte for each character',
    ['TL-6.1'],
    class extends PlainListing {
      override copyOf<Value>(value: Value): Value {
        return value === undefined ? value : (JSON.parse(Buffer.from(JSON.stringify(value), 'latin1').toString('latin1')) as Value)
      }
    },
  ),
  mutant(
    'keeps and returns the objects of its callers',
    ['TL-6.2'],
    class extends PlainListing {
      override copyOf<Value>(value: Value): Value {
        return value
      }
    },
  ),
  mutant(
    'leaves out rows that it cannot decode',
    ['TL-7.1', 'TL-7.2'],
    class extends PlainListing {
      override decoded(row: TaskDetails): readonly (TaskDetails | UnreadableRow)[] {
        return super.decoded(row).filter((each) => !isUnreadableRow(each))
      }
    },
  ),
  mutant(
    'fails at a row that it cannot decode',
    ['TL-7.1', 'TL-7.2'],
    class extends PlainListing {
      override decoded(row: TaskDetails): readonly (TaskDetails | UnreadableRow)[] {
        if (this.table.spoilt.has(row.taskId)) throw new TaskledgerError('MALFORMED', 'a row cannot be decoded')
        return super.decoded(row)
      }
    },
  ),
  mutant(
    'names rows that it cannot decode in every shard',
    ['TL-7.2'],
    class extends PlainListing {
      override isIn(row: TaskDetails, shard: number, of: number): boolean {
        return super.isIn(row, shard, of) || this.table.spoilt.has(row.taskId)
      }
    },
  ),
  mutant(
    'does not save a row whose stored version it cannot decode',
    ['TL-7.3'],
    class extends PlainListing {
      override wins(details: TaskDetails, known: TaskDetails | undefined): boolean {
        return super.wins(details, known) && !this.table.spoilt.has(details.taskId)
      }
    },
  ),
  mutant(
    'goes on after close',
    ['TL-T.1'],
    class extends PlainListing {
      override async close(): Promise<void> {}
    },
  ),
  mutant(
    'ignores the signal of unfinished',
    ['TL-T.2', 'TL-T.5'],
    class extends PlainListing {
      override unfinished(shard: {
        readonly shard: number
        readonly of: number
      }): AsyncGenerator<TaskDetails | UnreadableRow, void, undefined> {
        return super.unfinished(shard)
      }
    },
  ),
  mutant(
    'cannot be closed twice',
    ['TL-T.3'],
    class extends PlainListing {
      #closed = false

      override async close(): Promise<void> {
        if (this.#closed) throw new Error('closed already')
        this.#closed = true
        await super.close()
      }
    },
  ),
]

describeMutants('task listing', mutants)
everyRuleIsCaught(mutants)

it('a listing that reads every row for a page fails by runContract, and by the functions of any runner', { timeout: 60_000 }, async () => {
  const { contract = taskListingContract(harnessOf(PlainListing)) } =
    mutants.find(({ name }) => name === 'sorts everything for every page') ?? {}
  const { results } = await runContract(contract, { only: ['TL-2.5'] })
  expect(results.map(({ status }) => status)).toEqual(['failed'])
  const bodies = new Map<string, () => Promise<void>>()
  register(contract, { describe: (_name, body) => body(), it: (name, body) => void bodies.set(name.slice(0, 6), () => body.call({})) })
  await expect(bodies.get('TL-2.5')?.()).rejects.toThrow(/the first page by .* among 1000 tasks read \d+ rows/)
})
