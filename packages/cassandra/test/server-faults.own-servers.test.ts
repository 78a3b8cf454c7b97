import { existsSync } from 'node:fs'
import { cassandraStorage, migrate } from '@taskledger/cassandra'
import type { CassandraEndpoint, EngineProcess } from '@taskledger/servers'
import { silentLogger } from '@taskledger/core/ports'
import { freshKeyspaceName, startCassandra } from '@taskledger/servers'
import { eventStoreContract, taskListingContract } from '@taskledger/test-kit'
import type { Contract } from '@taskledger/test-kit'
import { describeContract } from '@taskledger/test-kit/vitest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listingOn } from './listing/samples.ts'
import type { TestKeyspace } from './cassandra.harness.ts'
import { cassandraHarness, eventStoreHarness, oneReplica, openKeyspace, runPlainly } from './cassandra.harness.ts'
import { oneRestartFor } from './one-restart.ts'
import { created, oneId } from './samples.ts'

// A server of its own: the shared server must not be restarted, and needs no password.
let server: EngineProcess<CassandraEndpoint>
let keyspace: TestKeyspace

beforeAll(async () => {
  server = await startCassandra({ name: 'own', say: () => {}, isShortLived: true, authentication: true })
  keyspace = await openKeyspace(server.endpoint)
})
afterAll(async () => {
  await server.stop()
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

const timing = { deadlineMs: 60_000 }

/** A contract with only one of its rules. */
const only = <Port>(contract: Contract<Port>, rule: string): Contract<Port> => ({
  ...contract,
  rules: contract.rules.filter(({ id }) => id === rule),
})

describe('a server that is killed', { concurrent: false }, () => {
  // Killed, not stopped: acknowledged writes have to be on disk.
  const restart = oneRestartFor(2, async () => {
    await server.kill()
    await server.start()
  })
  describe('keeps acknowledged writes', { concurrent: true }, () => {
    describeContract(only(eventStoreContract({ ...eventStoreHarness(() => keyspace, restart), timing }), 'ES-3.5'))
    const listingHarness = cassandraHarness(() => keyspace, listingOn, undefined, restart)
    describeContract(only(taskListingContract({ ...listingHarness, timing }), 'TL-1.4'))
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
