import { existsSync } from 'node:fs'
import { cassandraStorage, migrate } from '@taskledger/cassandra'
import type { Authority, CassandraEndpoint, EngineProcess } from '@taskledger/servers'
import { silentLogger } from '@taskledger/core/ports'
import { freshKeyspaceName, makeAuthority, startCassandra } from '@taskledger/servers'
import { eventStoreContract, nodeRegistryContract, taskListingContract, tcpProxy } from '@taskledger/test-kit'
import type { Contract } from '@taskledger/test-kit'
import { describeContract } from '@taskledger/test-kit/vitest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listingHarness } from './listing/listing.harness.ts'
import type { TestKeyspace } from './cassandra.harness.ts'
import { eventStoreHarness, nodeRegistryHarness, oneReplica, openKeyspace, runPlainly } from './cassandra.harness.ts'
import { oneRestartFor } from './one-restart.ts'
import { created, oneId } from './samples.ts'

// A server of its own: the shared server must not be restarted, and needs no password.
let server: EngineProcess<CassandraEndpoint>
let keyspace: TestKeyspace
let authority: Authority

beforeAll(async () => {
  authority = await makeAuthority()
  const tls = { ca: authority.ca, ...(await authority.issue()) }
  server = await startCassandra({ name: 'own', say: () => {}, isShortLived: true, authentication: true, tls })
  keyspace = await openKeyspace(server.endpoint)
})
afterAll(async () => {
  await server.stop()
})

const timing = { deadlineMs: 60_000 }

/** A contract with only these rules. */
const only = <Port>(contract: Contract<Port>, ...ids: readonly string[]): Contract<Port> => ({
  ...contract,
  rules: contract.rules.filter(({ id }) => ids.includes(id)),
})

type Credentials = NonNullable<CassandraEndpoint['credentials']>

const ada: Credentials = { username: 'ada', password: 'secret' }

/** Runs statements as the superuser. */
const administrate = (...statements: readonly string[]): Promise<unknown> =>
  runPlainly(
    server.endpoint,
    statements.map((cql) => [cql]),
  )

/** A storage that is opened with these credentials, or with none. */
const openAs = (credentials: Credentials | undefined) => {
  const { credentials: _superuser, ...options } = keyspace.options()
  return cassandraStorage({
    ...options,
    ...(credentials === undefined ? {} : { credentials }),
    connectTimeoutMs: 20_000,
    logger: silentLogger,
  })
}

const misconfigured = (message: RegExp) => ({ code: 'MISCONFIGURED', message: expect.stringMatching(message) as string })

describe('a server with authentication', { concurrent: false }, () => {
  beforeAll(() => administrate(`CREATE ROLE ${ada.username} WITH PASSWORD = '${ada.password}' AND LOGIN = true`))

  test('a wrong or missing password is refused at once, with the message of the server', async () => {
    await expect(openAs({ ...ada, password: 'wrong' })).rejects.toMatchObject(misconfigured(/username ada .*incorrect.*`credentials`/))
    await expect(openAs(undefined)).rejects.toMatchObject(misconfigured(/requires authentication.*`credentials`/))
  })

  describeContract(only(eventStoreContract({ ...eventStoreHarness(() => keyspace), timing }), 'ES-T.6'))

  test('a migration without the permission to create says which permission is missing', async () => {
    const { contactPoints, localDataCenter } = server.endpoint
    const migrating = migrate({
      contactPoints,
      localDataCenter,
      credentials: ada,
      keyspace: freshKeyspaceName(),
      logger: silentLogger,
      replication: oneReplica,
    })
    await expect(migrating).rejects.toMatchObject(misconfigured(/User ada has no CREATE permission.*migrate\(\)/))
  })

  test('a missing permission is found when the storage is opened, not at the first append', async () => {
    await expect(openAs(ada)).rejects.toMatchObject(misconfigured(/User ada has no SELECT permission.*grant/))
    await administrate(`GRANT SELECT ON KEYSPACE "${keyspace.keyspace}" TO ${ada.username}`)
    await expect(openAs(ada)).rejects.toMatchObject(misconfigured(/User ada has no MODIFY permission.*grant/))
  })

  test('a permission that is revoked under a running node is reported as missing', async () => {
    await administrate(`GRANT MODIFY ON KEYSPACE "${keyspace.keyspace}" TO ${ada.username}`)
    const storage = await openAs(ada)
    const taskId = oneId()
    await administrate(`REVOKE MODIFY ON KEYSPACE "${keyspace.keyspace}" FROM ${ada.username}`)
    await expect(storage.events.append(taskId, 0, [created(taskId)])).rejects.toMatchObject(
      misconfigured(/User ada has no MODIFY permission.*grant/),
    )
    await storage.close()
  })
})

describe('credentials from a function', { concurrent: false }, () => {
  test('are asked for at each connection, so a user can be replaced without a restart', async () => {
    for (const role of ['eve', 'mia'])
      await administrate(
        `CREATE ROLE ${role} WITH PASSWORD = 'secret' AND LOGIN = true`,
        `GRANT SELECT ON KEYSPACE "${keyspace.keyspace}" TO ${role}`,
        `GRANT MODIFY ON KEYSPACE "${keyspace.keyspace}" TO ${role}`,
      )
    let username = 'eve'
    const [host = '', port = ''] = (server.endpoint.contactPoints[0] ?? '').split(':')
    await using proxy = await tcpProxy({ host, port: Number(port) })
    const storage = await cassandraStorage({
      ...keyspace.options(),
      contactPoints: [`${proxy.host}:${proxy.port}`],
      credentials: async () => ({ username, password: 'secret' }),
    })
    username = 'mia'
    await administrate('DROP ROLE eve')
    await proxy.faults.cut()
    await expect.poll(() => storage.events.read(oneId()).catch(() => undefined), { timeout: 60_000 }).toEqual([])
    await storage.close()
  })

  test('that are wrong are refused at once', async () => {
    const opening = (credentials: () => unknown) =>
      cassandraStorage({ ...keyspace.options(), credentials: credentials as () => Credentials })
    await expect(opening(() => ({ ...ada, password: 'wrong' }))).rejects.toMatchObject(misconfigured(/`credentials`/))
    await expect(opening(async () => 'ada')).rejects.toMatchObject(misconfigured(/`credentials` gave no username and password/))
  })
})

describe('a server with TLS', { concurrent: false }, () => {
  test('lets in a client with a certificate, by a trusted authority and by name', async () => {
    const tls = { ca: authority.ca, ...(await authority.issue({ names: ['ada'] })) }
    const storage = await cassandraStorage({ ...keyspace.options(), tls })
    expect(await storage.events.read(oneId())).toEqual([])
    await storage.close()
  })

  test('is refused at once if its authority is unknown, and refuses a client without a certificate of its authority at once', async () => {
    const client = await authority.issue({ names: ['ada'] })
    const stranger = await makeAuthority('Another authority')
    const opening = (tls: object) => cassandraStorage({ ...keyspace.options(), tls })
    await expect(opening({ ca: stranger.ca, ...client })).rejects.toMatchObject(misconfigured(/issued by "CN=Authority of a test"/))
    for (const wrong of [{}, await stranger.issue({ names: ['ada'] })])
      await expect(opening({ ca: authority.ca, ...wrong })).rejects.toMatchObject(misconfigured(/refuses the TLS handshake.*`cert`/))
  })
})

describe('a server that is killed', { concurrent: false }, () => {
  // Killed, not stopped: acknowledged writes have to be on disk.
  const restart = oneRestartFor(5, async () => {
    await server.kill()
    await server.start()
  })
  describe('keeps acknowledged writes, and answers its clients again', { concurrent: true }, () => {
    describeContract(only(eventStoreContract({ ...eventStoreHarness(() => keyspace, restart), timing }), 'ES-3.5', 'ES-F.6'))
    describeContract(only(taskListingContract({ ...listingHarness(() => keyspace, restart), timing }), 'TL-1.4', 'TL-F.6'))
    describeContract(only(nodeRegistryContract({ ...nodeRegistryHarness(() => keyspace, restart), timing }), 'NR-F.6'))
  })
})

describe('a server that is stopped', { concurrent: false }, () => {
  test('has ended, and may be stopped again', async () => {
    const { pid } = server
    await server.stop()
    expect(existsSync(`/proc/${pid}`)).toBe(false)
    expect(() => server.pid).toThrow('not running')
    await expect(server.stop()).resolves.toBeUndefined()
  })
})
