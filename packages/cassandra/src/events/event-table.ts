import type { TaskId } from '@taskledger/core/ports'
import { cohortOf } from '@taskledger/core/ports'
import type { Append, EventIds } from './append.ts'
import type { ExecuteOptions, RequestOptions, Row, Session, Statement } from '../connection/session.ts'

/**
 * The timestamp of a first event that is written without a condition: one microsecond after 1970. A removal is
 * conditional, so its timestamp is that of its ballot: the time of a host. So a removal always has a later timestamp
 * than a first event, and a submit that is retried after the removal has no effect.
 */
const firstTimestamp = 1

/** How many rows a page has, where not the driver's default: for tests, which need long lists otherwise. */
export interface EventPages {
  readonly pageRows?: number | undefined
}

/** How many cohorts a page lists. */
const cohortsAtOnce = 500

/** Which events of a task to read. */
export interface HistoryRead {
  readonly taskId: TaskId
  readonly afterVersion: number
}

/** The statements of the event store: a row for each event, a partition for each cohort. */
export class EventTable {
  readonly #session: Session
  readonly #fetchSize: number | undefined
  readonly #insertPlainly: string
  readonly #insertIfFree: string
  readonly #followAny: string
  readonly #follow: string
  readonly #selectEvents: string
  readonly #selectEventsOfTasks: string
  readonly #selectIds: string
  readonly #delete: string
  readonly #selectCohorts: string
  readonly #selectTasks: string

  constructor(session: Session, { pageRows }: EventPages = {}) {
    const table = session.table('task_event')
    const columns = '(prefix, cohort, task_id, version, event_id, event) VALUES (?, ?, ?, ?, ?, ?)'
    const task = 'prefix = ? AND cohort = ? AND task_id = ?'
    const tasks = 'prefix = ? AND cohort = ? AND task_id IN ?'
    this.#session = session
    this.#fetchSize = pageRows
    this.#insertPlainly = `INSERT INTO ${table} ${columns} USING TIMESTAMP ${firstTimestamp}`
    this.#insertIfFree = `INSERT INTO ${table} ${columns} IF NOT EXISTS`
    const follow = `UPDATE ${table} SET followed = true WHERE ${task} AND version = ?`
    this.#followAny = `${follow} IF EXISTS`
    this.#follow = `${follow} IF event_id = ?`
    this.#selectEvents = `SELECT event FROM ${table} WHERE ${task} AND version > ?`
    this.#selectEventsOfTasks = `SELECT task_id, version, event FROM ${table} WHERE ${tasks}`
    this.#selectIds = `SELECT task_id, version, event_id FROM ${table} WHERE ${tasks}`
    this.#selectCohorts = `SELECT DISTINCT prefix, cohort FROM ${table}`
    this.#selectTasks = `SELECT task_id FROM ${table} WHERE prefix = ? AND cohort = ? GROUP BY task_id`
    this.#delete = `DELETE FROM ${table} WHERE ${task} AND version = ? IF event_id = ?`
  }

  /** Writes first events of one cohort, all or none. A second write changes nothing. */
  async insertFresh(appends: readonly Append[]): Promise<void> {
    const statements = appends.flatMap((append) => this.#inserts(this.#insertPlainly, append))
    await this.#session.batch(statements, { isRepeatable: true })
  }

  /**
   * Writes events of one cohort, all or none: only if no event has their version yet, and if the event before them is
   * the one that the writer knows. The check of the event before needs a statement: an update of a column that nothing reads.
   */
  async insertNext(appends: readonly Append[]): Promise<boolean> {
    const statements = appends.flatMap((append) => [...this.#followed(append), ...this.#inserts(this.#insertIfFree, append)])
    return (await this.#session.conditional(statements)).applied
  }

  /** The texts of a task's events, in order. */
  async texts({ taskId, afterVersion }: HistoryRead, options: RequestOptions): Promise<readonly string[]> {
    const rows = await this.#rows(this.#selectEvents, [...this.#keyOf(taskId), afterVersion], options)
    return rows.map(textOf)
  }

  /** The texts for several reads of one cohort. */
  async textsOfEach(
    reads: readonly [HistoryRead, ...HistoryRead[]],
    options: RequestOptions,
  ): Promise<ReadonlyMap<HistoryRead, readonly string[]>> {
    const histories = new Map<unknown, Row[]>(reads.map(({ taskId }) => [taskId, []]))
    const params = [this.#session.prefix, cohortOf(reads[0].taskId), [...histories.keys()]]
    const rows = await this.#rows(this.#selectEventsOfTasks, params, options)
    for (const row of rows) histories.get(row['task_id'])?.push(row)
    // Reads of one batch may begin at different versions. Histories are short, so the events that a reader has already
    // are dropped here.
    const textsFor = ({ taskId, afterVersion }: HistoryRead): readonly string[] =>
      (histories.get(taskId) ?? []).filter((row) => (row['version'] as number) > afterVersion).map(textOf)
    return new Map(reads.map((read) => [read, textsFor(read)]))
  }

  /** The event ids of tasks of one cohort, after all conditional writes: the serial read completes those in flight. */
  async eventIds(taskIds: readonly [TaskId, ...TaskId[]], options: RequestOptions = {}): Promise<ReadonlyMap<TaskId, EventIds>> {
    const params = [this.#session.prefix, cohortOf(taskIds[0]), taskIds]
    const rows = await this.#rows(this.#selectIds, params, { ...options, isSerial: true })
    const histories = new Map<TaskId, Map<number, string>>(taskIds.map((taskId) => [taskId, new Map()]))
    for (const row of rows) histories.get(row['task_id'] as TaskId)?.set(row['version'] as number, row['event_id'] as string)
    return histories
  }

  /**
   * The ids of all tasks, in the order of the ring: the partition keys, without those of other applications, and the
   * tasks of each. No event is read.
   */
  async *taskIds(options: RequestOptions): AsyncGenerator<TaskId, void, undefined> {
    const fetchSize = this.#fetchSize ?? cohortsAtOnce
    for await (const { prefix, cohort } of this.#session.pages(this.#selectCohorts, [], { ...options, fetchSize })) {
      if (prefix !== this.#session.prefix) continue
      const rows = await this.#rows(this.#selectTasks, [prefix, cohort], options)
      for (const row of rows) yield row['task_id'] as TaskId
    }
  }

  /** Deletes events of a task, all or none: none if one of them no longer stands there. */
  async delete(taskId: TaskId, events: readonly (readonly [version: number, eventId: string])[], options: RequestOptions): Promise<void> {
    await this.#session.conditional(
      events.map((event) => ({ cql: this.#delete, params: [...this.#keyOf(taskId), ...event] })),
      options,
    )
  }

  #rows(cql: string, params: readonly unknown[], options: ExecuteOptions): Promise<readonly Row[]> {
    return this.#session.execute(cql, params, { ...options, fetchSize: this.#fetchSize })
  }

  #followed({ taskId, expectedVersion, follows }: Append): readonly Statement[] {
    if (expectedVersion === 0) return []
    const params = [...this.#keyOf(taskId), expectedVersion]
    return [follows === undefined ? { cql: this.#followAny, params } : { cql: this.#follow, params: [...params, follows] }]
  }

  #inserts(cql: string, { taskId, rows }: Append): readonly Statement[] {
    return rows.map(({ version, eventId, text }) => ({ cql, params: [...this.#keyOf(taskId), version, eventId, text] }))
  }

  #keyOf(taskId: TaskId): readonly [string, string, TaskId] {
    return [this.#session.prefix, cohortOf(taskId), taskId]
  }
}

const textOf = (row: Row): string => String(row['event'])
