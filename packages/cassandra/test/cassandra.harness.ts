import { randomBytes } from 'node:crypto'
import { CassandraEventStore } from '../src/events/cassandra-event-store.ts'
import { CassandraNodeRegistry } from '../src/nodes/cassandra-node-registry.ts'
import { migrate } from '../src/schema/migrate.ts'
import type { CassandraAddress, CassandraStorageOptions } from '../src/connection/options.ts'
import type { Session } from '../src/connection/session.ts'
import { openSession } from '../src/schema/open-session.ts'
import type { EventStore, NodeRegistry, TaskId, TaskListing } from '@taskledger/core/ports'
import { cohortOf, silentLogger } from '@taskledger/core/ports'
import type { CassandraEndpoint } from '@taskledger/servers'
import { freshKeyspaceName } from '@taskledger/servers'
import type { Harness, Subject, TcpProxy } from '@taskledger/test-kit'
import { tcpProxy } from '@taskledger/test-kit'
import { Client } from 'cassandra-driver'

/** Options with an address, not with a client. */
export type OwnStorageOptions = CassandraAddress & Omit<CassandraStorageOptions, 'client'> & { readonly prefix: string }

/** A keyspace for one file of tests. */
export interface TestKeyspace {
  readonly endpoint: CassandraEndpoint
  readonly keyspace: string
  /** The options of a storage. Default prefix: a new one for each call. */
  options(prefix?: string): OwnStorageOptions
  [Symbol.asyncDispose](): Promise<void>
}

export const addressOf = ({ contactPoints, localDataCenter, credentials }: CassandraEndpoint): Omit<CassandraEndpoint, 'version'> => ({
  contactPoints,
  localDataCenter,
  ...(credentials === undefined ? {} : { credentials }),
})

/** The replication of a keyspace on a single server. */
export const oneReplica = { class: 'SimpleStrategy', replication_factor: 1 } as const

/** Runs statements directly, past all ports and proxies. */
export const runPlainly = async (
  endpoint: CassandraEndpoint,
  statements: readonly (readonly [cql: string, ...params: readonly unknown[]])[],
) => {
  const { contactPoints, localDataCenter, credentials } = addressOf(endpoint)
  const client = new Client({ contactPoints: [...contactPoints], localDataCenter, ...(credentials === undefined ? {} : { credentials }) })
  try {
    const rows = []
    for (const [cql, ...params] of statements) rows.push((await client.execute(cql, params, { prepare: params.length > 0 })).rows ?? [])
    return rows
  } finally {
    await client.shutdown()
  }
}

export const openKeyspace = async (endpoint: CassandraEndpoint): Promise<TestKeyspace> => {
  const keyspace = freshKeyspaceName()
  const base = { ...addressOf(endpoint), keyspace, logger: silentLogger }
  await migrate({ ...base, replication: oneReplica })
  return {
    endpoint,
    keyspace,
    options: (prefix = `test-${randomBytes(6).toString('hex')}`) => ({ ...base, prefix }),
    [Symbol.asyncDispose]: async () => void (await runPlainly(endpoint, [[`DROP KEYSPACE "${keyspace}"`]])),
  }
}

type Inject<Port> = NonNullable<Subject<Port>['inject']>

/**
 * Calls back with the number of rows of each answer. Cassandra reads no more rows than it answers with, unless a statement filters or counts
 * on the server: such a statement is refused.
 */
const countRows = (session: Session, count: (rows: number) => void): Session => {
  const execute = session.execute.bind(session)
  return Object.assign(session, {
    execute: async (...request: Parameters<Session['execute']>) => {
      if (/ALLOW FILTERING|COUNT\(/i.test(request[0])) throw new Error(`the rows that this reads cannot be counted: ${request[0]}`)
      const rows = await execute(...request)
      count(rows.length)
      return rows
    },
  })
}

/** A harness whose clients reach the server through their own proxy. */
export const cassandraHarness = <Port>(
  keyspace: () => TestKeyspace,
  makePort: (session: Session) => Port,
  injectWith?: (session: Session) => Inject<Port>,
  restart?: () => Promise<void>,
  // Short, so that a rule that loses answers does not wait long.
  requestTimeoutMs = 2_000,
): Harness<Port> => ({
  name: 'cassandra',
  open: async ({ namespace }) => {
    const { endpoint, options } = keyspace()
    const [contactPoint = ''] = endpoint.contactPoints
    const [host = '', port = '9042'] = contactPoint.split(':')
    const target = { host, port: Number(port) }
    const opened: OpenedClient<Port>[] = []
    let rowsRead = 0
    const open = async (given: Partial<OwnStorageOptions> = {}): Promise<OpenedClient<Port>> => {
      const proxy = await tcpProxy(target)
      const contactPoints = [`${proxy.host}:${proxy.port}`]
      const shared = { ...options(namespace), contactPoints, requestTimeoutMs, connectTimeoutMs: 60_000, ...given }
      try {
        const session = countRows(await openSession(shared), (rows) => (rowsRead += rows))
        const client = { port: makePort(session), session, proxy }
        opened.push(client)
        return client
      } catch (error) {
        await proxy[Symbol.asyncDispose]()
        throw error
      }
    }
    const { port: client, session } = await open()
    const own = session.share('the harness')
    return {
      port: client,
      peer: async () => (await open()).port,
      rowsRead: () => rowsRead,
      faults: { ...faultsOf(() => opened.map(({ proxy }) => proxy)), ...(restart === undefined ? {} : { restart }) },
      stallClient: async (stalled) => {
        const [found] = opened.filter((each) => each.port === stalled)
        if (found === undefined) throw new TypeError('the client to stall is not one of this harness')
        return found.proxy.faults.stall()
      },
      // A server without authentication accepts any password, and has no such keyspace.
      openRefused: async (password) => (await open({ credentials: { username: 'nobody', password }, keyspace: 'no_such_keyspace' })).port,
      ...(injectWith === undefined ? {} : { inject: injectWith(session) }),
      async [Symbol.asyncDispose]() {
        await own.close()
        await session.close()
        await Promise.all(opened.map(({ proxy }) => proxy[Symbol.asyncDispose]()))
      },
    }
  },
})

/** A client, with a proxy of its own. */
interface OpenedClient<Port> {
  readonly port: Port
  readonly session: Session
  readonly proxy: TcpProxy
}

type NetworkFaults = TcpProxy['faults']

/** The faults of all proxies at the same time. */
const faultsOf = (proxies: () => readonly TcpProxy[]): NetworkFaults => {
  const onAll = <Result>(cause: (faults: NetworkFaults) => Promise<Result>): Promise<Result[]> =>
    Promise.all(proxies().map(({ faults }) => cause(faults)))
  const healing =
    (fault: 'refuse' | 'stall' | 'loseReplies'): (() => Promise<() => Promise<void>>) =>
    async () => {
      const heals = await onAll((faults) => faults[fault]())
      return async () => void (await Promise.all(heals.map((heal) => heal())))
    }
  return {
    cut: async () => void (await onAll((faults) => faults.cut())),
    silence: async () => void (await onAll((faults) => faults.silence())),
    refuse: healing('refuse'),
    stall: healing('stall'),
    loseReplies: healing('loseReplies'),
  }
}

/** Writes text after the last event of a task. */
export const injectEventWith =
  (session: Session): Inject<EventStore> =>
  async (bytes, taskId) => {
    const key = [session.prefix, cohortOf(taskId as TaskId), taskId]
    const table = session.table('task_event')
    const rows = await session.execute(`SELECT version FROM ${table} WHERE prefix = ? AND cohort = ? AND task_id = ?`, key)
    await session.execute(`INSERT INTO ${table} (prefix, cohort, task_id, version, event_id, event) VALUES (?, ?, ?, ?, ?, ?)`, [
      ...key,
      rows.length + 1,
      'injected',
      new TextDecoder().decode(bytes),
    ])
  }

/** Writes text in the place of the details of a row, later than any of the row's versions so far, as the next version would. */
export const injectRowWith =
  (session: Session): Inject<TaskListing> =>
  async (bytes, taskId) => {
    const key = ['prefix', 'bucket', 'shard', 'facet', 'created_at', 'task_id'] as const
    for (const table of ['task_list', 'task_unfinished'].map((name) => session.table(name)))
      for await (const row of session.pages(`SELECT ${key.join(', ')}, WRITETIME(details) AS written FROM ${table}`, [], {
        fetchSize: 1_000,
      })) {
        if (row['prefix'] !== session.prefix || row['task_id'] !== taskId || row['facet'] !== '') continue
        const later = BigInt(String(row['written'])) + 1n
        await session.execute(`INSERT INTO ${table} (${key.join(', ')}, details) VALUES (?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ${later}`, [
          ...key.map((column) => row[column]),
          new TextDecoder().decode(bytes),
        ])
      }
  }

/** Writes text in the place of the entry of a node, with the time that the node still has to live. */
export const injectNodeWith =
  (session: Session): Inject<NodeRegistry> =>
  async (bytes, nodeId) => {
    const table = session.table('task_node')
    const key = [session.prefix, nodeId]
    const [row] = await session.execute(`SELECT TTL(node) AS ttl FROM ${table} WHERE prefix = ? AND node_id = ?`, key)
    await session.execute(`INSERT INTO ${table} (prefix, node_id, node) VALUES (?, ?, ?) USING TTL ?`, [
      ...key,
      new TextDecoder().decode(bytes),
      row?.['ttl'],
    ])
  }

/** With small pages: the driver's have 5,000 rows. */
const eventPages = { pageRows: 20 }

export const eventStoreHarness = (keyspace: () => TestKeyspace, restart?: () => Promise<void>): Harness<EventStore> => ({
  ...cassandraHarness(keyspace, (session) => new CassandraEventStore(session, eventPages), injectEventWith, restart),
  ...eventPages,
})

export const nodeRegistryHarness = (keyspace: () => TestKeyspace, restart?: () => Promise<void>): Harness<NodeRegistry> =>
  cassandraHarness(keyspace, (session) => new CassandraNodeRegistry(session), injectNodeWith, restart)
