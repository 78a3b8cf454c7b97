import type { Client } from 'cassandra-driver'
import { policies, types } from 'cassandra-driver'
import { bareBody } from './bare-schema.ts'

const { consistencies } = types

/** The key of a task of a floor. */
export interface BareTask {
  readonly cohort: string
  readonly task: string
  readonly createdAt: number
}

const insertEvent = 'INSERT INTO bare_event (cohort, task, seq, event_id, body) VALUES (?, ?, ?, ?, ?)'
const insertRow = 'INSERT INTO bare_row (bucket, created_at, task, version, status, body) VALUES (?, ?, ?, ?, ?, ?) USING TIMESTAMP ?'
const insertUnfinished = 'INSERT INTO bare_unfinished (shard, task, version, body) VALUES (?, ?, ?, ?) USING TIMESTAMP ?'
const deleteUnfinished = 'DELETE FROM bare_unfinished USING TIMESTAMP ? WHERE shard = ? AND task = ?'
const selectEvents = 'SELECT task, seq, event_id, body FROM bare_event WHERE cohort = ? AND task IN ?'

export const plain = { prepare: true, consistency: consistencies.localQuorum, isIdempotent: true }
export const conditional = {
  prepare: true,
  consistency: consistencies.localQuorum,
  serialConsistency: consistencies.localSerial,
  retry: new policies.retry.FallthroughRetryPolicy(),
}

export interface Statement {
  readonly query: string
  readonly params: unknown[]
}

export const statuses = ['', 'waiting', 'inProgress', 'completed']

/** The partitions of tasks. */
export interface BarePlaces {
  readonly rows: string
  readonly unfinished: string
}

/** Writes the lives of tasks by the bare driver. The tasks of one call share a partition. */
export interface LifeStore {
  create(tasks: readonly BareTask[]): Promise<void>
  append(tasks: readonly BareTask[], seq: number): Promise<void>
  /** Writes the rows and the unfinished tasks: partitions of two tables. */
  save(places: BarePlaces, tasks: readonly BareTask[], version: number): Promise<void>
  /** Reads the events of tasks, and gives their number by task. */
  read(tasks: readonly BareTask[]): Promise<ReadonlyMap<string, number>>
}

/** The fewest statements that a life needs: one for one task, one batch for several tasks of a partition. */
export class BareStore implements LifeStore {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  /** The first events, without a condition since the ids are random. All tasks are of one cohort. */
  async create(tasks: readonly BareTask[]): Promise<void> {
    await this.#send(
      tasks.map((task) => eventOf(task, 1)),
      plain,
    )
  }

  /** Further events, with a condition. All tasks are of one cohort, and all or none are written. */
  async append(tasks: readonly BareTask[], seq: number): Promise<void> {
    const { rows } = await this.#send(
      tasks.map((task) => {
        const { query, params } = eventOf(task, seq)
        return { query: `${query} IF NOT EXISTS`, params }
      }),
      conditional,
    )
    if (rows[0]?.['[applied]'] !== true) throw new Error('a floor met another writer: its tasks are not its own')
  }

  async save(places: BarePlaces, tasks: readonly BareTask[], version: number): Promise<void> {
    const rows = tasks.map(({ task, createdAt }) => ({
      query: insertRow,
      params: [places.rows, new Date(createdAt), task, version, statuses[version], bareBody(task, 'row'), stampOf(createdAt, version)],
    }))
    const unfinished = tasks.map(({ task, createdAt }) =>
      version === 3
        ? { query: deleteUnfinished, params: [stampOf(createdAt, version), places.unfinished, task] }
        : { query: insertUnfinished, params: [places.unfinished, task, version, bareBody(task, 'row'), stampOf(createdAt, version)] },
    )
    await sendApart(this.#client, tasks.length, [rows, unfinished])
  }

  async read(tasks: readonly BareTask[]): Promise<ReadonlyMap<string, number>> {
    const params = [tasks[0]?.cohort, tasks.map(({ task }) => task)]
    const { rows } = await this.#client.execute(selectEvents, params, plain)
    return countsOf(rows.map((row) => row['task'] as string))
  }

  #send(statements: readonly Statement[], options: object): Promise<types.ResultSet> {
    return sendTogether(this.#client, statements, options)
  }
}

/** One statement as it is, several as a batch. */
export const sendTogether = (client: Client, statements: readonly Statement[], options: object): Promise<types.ResultSet> => {
  const [first, ...others] = statements
  if (first === undefined) throw new Error('a floor has nothing to write: give at least one statement')
  return others.length === 0
    ? client.execute(first.query, first.params, options)
    : client.batch([...statements], { ...options, logged: false })
}

/** Writes batches of one partition each. As in the adapter, the batches of one task share a request. */
export const sendApart = async (client: Client, tasks: number, batches: readonly (readonly Statement[])[]): Promise<void> => {
  const requests = tasks === 1 ? [batches.flat()] : batches
  await Promise.all(requests.map((statements) => sendTogether(client, statements, plain)))
}

/** The number of occurrences of each task. */
export const countsOf = (tasks: readonly string[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const task of tasks) counts.set(task, (counts.get(task) ?? 0) + 1)
  return counts
}

const eventOf = ({ cohort, task }: BareTask, seq: number): Statement => ({
  query: insertEvent,
  params: [cohort, task, seq, `${task}-${seq}`, bareBody(task, 'event')],
})

/** The timestamp of a write, in microseconds: the time of creation, plus the version. */
export const stampOf = (createdAt: number, version: number): types.Long => types.Long.fromNumber(createdAt * 1_000 + version)
