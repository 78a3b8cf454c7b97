import type { Client, types } from 'cassandra-driver'
import type { BarePlaces, BareTask, LifeStore, Statement } from './bare-store.ts'
import { conditional, countsOf, plain, sendApart, sendTogether, stampOf, statuses } from './bare-store.ts'
import { bareBody } from './bare-schema.ts'

const eventColumns = '(prefix, cohort, task_id, version, event_id, event) VALUES (?, ?, ?, ?, ?, ?)'
const eventKey = 'prefix = ? AND cohort = ? AND task_id = ?'
const insertEvent = `INSERT INTO task_event ${eventColumns}`
const follow = `UPDATE task_event SET followed = true WHERE ${eventKey} AND version = ? IF EXISTS`
const selectEvents = `SELECT event FROM task_event WHERE ${eventKey} AND version > ?`
const selectEventsOfTasks = 'SELECT task_id, version, event FROM task_event WHERE prefix = ? AND cohort = ? AND task_id IN ?'
const rowColumns = 'prefix, bucket, shard, facet, created_at, task_id, version, status'
const insertRow = `INSERT INTO task_list (${rowColumns}, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?`
const insertFacet = `INSERT INTO task_list (${rowColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?`
const insertUnfinished = `INSERT INTO task_unfinished (${rowColumns}, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?`
const insertRunning = `INSERT INTO task_unfinished (${rowColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?`
const deleteUnfinished =
  'DELETE FROM task_unfinished USING TIMESTAMP ? WHERE prefix = ? AND bucket = ? AND shard = ? AND facet = ? AND created_at = ? AND task_id = ?'

/** The facets of a no-op task at each version, in the table of unfinished tasks and in the list. */
const unfinishedFacets = [[], [''], ['', 'running'], ['', 'running']]
const facets = [[], ['', 'type:noop'], ['', 'type:noop', 'node:bare'], ['', 'type:noop', 'node:bare', 'status:completed']]

/** The statements of the adapter for the life of a task, on its tables, by the bare driver. */
export class AdapterStore implements LifeStore {
  readonly #client: Client
  readonly #prefix: string

  constructor(client: Client, prefix: string) {
    this.#client = client
    this.#prefix = prefix
  }

  async create(tasks: readonly BareTask[]): Promise<void> {
    const statements = tasks.map((task) => this.#insert(task, 1, 'USING TIMESTAMP 1'))
    await sendTogether(this.#client, statements, plain)
  }

  async append(tasks: readonly BareTask[], seq: number): Promise<void> {
    const statements = tasks.flatMap((task): Statement[] => [
      { query: follow, params: [...this.#keyOf(task), seq - 1] },
      this.#insert(task, seq, 'IF NOT EXISTS'),
    ])
    const { rows } = await sendTogether(this.#client, statements, conditional)
    if (rows[0]?.['[applied]'] !== true) throw new Error('a floor met another writer: its tasks are not its own')
  }

  async save(places: BarePlaces, tasks: readonly BareTask[], version: number): Promise<void> {
    const batches = [this.#rows(places.rows, tasks, version), this.#unfinished(places.unfinished, tasks, version)]
    await sendApart(this.#client, tasks.length, batches)
  }

  #rows(partition: string, tasks: readonly BareTask[], version: number): readonly Statement[] {
    const [minute, shard] = partition.split('.').map(Number)
    return tasks.flatMap(({ task, createdAt }) =>
      (facets[version] ?? []).map((facet): Statement => {
        const row = [this.#prefix, new Date((minute ?? 0) * 60_000), shard, facet, new Date(createdAt), task, version, statuses[version]]
        return facet === ''
          ? { query: insertRow, params: [...row, bareBody(task, 'row'), stampOf(createdAt, version)] }
          : { query: insertFacet, params: [...row, stampOf(createdAt, version)] }
      }),
    )
  }

  #unfinished(partition: string, tasks: readonly BareTask[], version: number): readonly Statement[] {
    const [minute, shard] = partition.split('.').map(Number)
    const bucket = new Date((minute ?? 0) * 60_000)
    return tasks.flatMap(({ task, createdAt }) =>
      (unfinishedFacets[version] ?? []).map((facet): Statement => {
        const key = [this.#prefix, bucket, shard, facet, new Date(createdAt), task]
        const stamp = stampOf(createdAt, version)
        if (version === 3) return { query: deleteUnfinished, params: [stamp, ...key] }
        const row = [...key, version, statuses[version]]
        return facet === ''
          ? { query: insertUnfinished, params: [...row, bareBody(task, 'row'), stamp] }
          : { query: insertRunning, params: [...row, stamp] }
      }),
    )
  }

  async read(tasks: readonly BareTask[]): Promise<ReadonlyMap<string, number>> {
    const [first, ...others] = tasks
    if (first === undefined) return new Map()
    if (others.length === 0) {
      const { rowLength }: types.ResultSet = await this.#client.execute(selectEvents, [...this.#keyOf(first), 0], plain)
      return new Map([[first.task, rowLength]])
    }
    const params = [this.#prefix, first.cohort, tasks.map(({ task }) => task)]
    const { rows } = await this.#client.execute(selectEventsOfTasks, params, plain)
    return countsOf(rows.map((row) => row['task_id'] as string))
  }

  #insert(task: BareTask, version: number, suffix: string): Statement {
    const params = [...this.#keyOf(task), version, `${task.task}-${version}`, bareBody(task.task, 'event')]
    return { query: `${insertEvent} ${suffix}`, params }
  }

  #keyOf({ cohort, task }: BareTask): readonly [string, string, string] {
    return [this.#prefix, cohort, task]
  }
}
