import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setImmediate as endOfTurn } from 'node:timers/promises'
import { cassandraStorage, migrate } from '@taskledger/cassandra'
import type { Logger, TaskId } from '@taskledger/core/ports'
import { isMisuse, silentLogger } from '@taskledger/core/ports'
import { freshKeyspaceName } from '@taskledger/servers'
import { tcpProxy } from '@taskledger/test-kit'
import { Client } from 'cassandra-driver'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import type { TestKeyspace } from './cassandra.harness.ts'
import { addressOf, oneReplica, openKeyspace, runPlainly } from './cassandra.harness.ts'

const endpoint = inject('servers').cassandra
let keyspace: TestKeyspace

beforeAll(async () => {
  keyspace = await openKeyspace(endpoint)
})
afterAll(async () => {
  await keyspace[Symbol.asyncDispose]()
})

const taskId = '0190f2a4-0000-7000-8000-000000000001' as TaskId
const connectTimeoutMs = 1_500

/** What an opening fails with, and that it does so in time. */
const refusalOf = async (options: object): Promise<{ code: unknown; message: string }> => {
  const opening = cassandraStorage({ ...keyspace.options(), connectTimeoutMs, ...options })
  try {
    await (await opening).close()
  } catch (error) {
    return error as { code: unknown; message: string }
  }
  throw new Error('a storage was opened that should have been refused')
}

test('a wrong contact point: says where it looked, what it heard, and what to check', async () => {
  const { code, message } = await refusalOf({ contactPoints: ['127.0.0.1:9'] })
  expect(code).toBe('UNAVAILABLE')
  expect(message).toMatch(/127\.0\.0\.1:9 within 1500 ms.*ECONNREFUSED.*contactPoints/)
  expect(await refusalOf({ contactPoints: ['nowhere.invalid'] })).toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(/nowhere\.invalid/) as string,
  })
})

test('a wrong data centre: names those that there are', async () => {
  const { code, message } = await refusalOf({ localDataCenter: 'atlantis' })
  expect(code).toBe('MISCONFIGURED')
  expect(message).toContain('atlantis')
  expect(message).toContain(endpoint.localDataCenter)
})

test('a keyspace that is not there', async () => {
  const { code, message } = await refusalOf({ keyspace: 'never_created' })
  expect(code).toBe('MISCONFIGURED')
  expect(message).toMatch(/never_created.*migrate\(/)
})

test('a keyspace without a schema', async () => {
  const empty = freshKeyspaceName()
  await runPlainly(endpoint, [[`CREATE KEYSPACE "${empty}" WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`]])
  const refusal = await refusalOf({ keyspace: empty })
  await runPlainly(endpoint, [[`DROP KEYSPACE "${empty}"`]])
  expect(refusal).toMatchObject({ code: 'MISCONFIGURED', message: expect.stringMatching(/no schema: call migrate\(\)/) as string })
})

test('a table that is gone under a running node is reported as such', async () => {
  const gone = await openKeyspace(endpoint)
  const storage = await cassandraStorage(gone.options())
  await runPlainly(endpoint, [[`DROP TABLE "${gone.keyspace}".task_event`]])
  await expect(storage.events.read(taskId)).rejects.toMatchObject({
    code: 'MISCONFIGURED',
    message: expect.stringContaining('migrate()') as string,
  })
  await storage.close()
  await gone[Symbol.asyncDispose]()
})

test('options that cannot work are a mistake of the program', async () => {
  for (const wrong of [{ keyspace: 'a-b' }, { prefix: '' }, { prefix: 'a b' }, { contactPoints: [] }, { connectTimeoutMs: 0 }])
    await expect(cassandraStorage({ ...keyspace.options(), ...wrong })).rejects.toSatisfy(isMisuse)
})

test('a server that is down at first is waited for, and told of once', async () => {
  const [host = '', port = '9042'] = (endpoint.contactPoints[0] ?? '').split(':')
  await using proxy = await tcpProxy({ host, port: Number(port) })
  const restore = await proxy.faults.refuse()
  const told: string[] = []
  const tell = (_fields: object, message: string): void => void told.push(message)
  const tellsOfFailure = Promise.withResolvers<void>()
  const logger: Logger = {
    debug() {},
    info: tell,
    warn(fields, message) {
      tell(fields, message)
      tellsOfFailure.resolve()
    },
    error: tell,
  }
  const opening = cassandraStorage({
    ...keyspace.options(),
    contactPoints: [`${proxy.host}:${proxy.port}`],
    connectTimeoutMs: 20_000,
    logger,
  })
  await tellsOfFailure.promise
  await restore()
  const storage = await opening
  expect(await storage.events.read(taskId)).toEqual([])
  await storage.close()
  expect(told).toEqual(['Cassandra cannot be reached; trying again', 'Cassandra can be reached now'])
})

test('a server that takes connections and says nothing is given up in time', async () => {
  const [host = '', port = '9042'] = (endpoint.contactPoints[0] ?? '').split(':')
  await using proxy = await tcpProxy({ host, port: Number(port) })
  const restore = await proxy.faults.stall()
  const { code, message } = await refusalOf({ contactPoints: [`${proxy.host}:${proxy.port}`] })
  await restore()
  expect(code).toBe('UNAVAILABLE')
  expect(message).toContain(`${proxy.host}:${proxy.port}`)
})

test('a server that goes away under a running node: each failure says which it was and what is wrong with it', async () => {
  const [host = '', port = '9042'] = (endpoint.contactPoints[0] ?? '').split(':')
  await using proxy = await tcpProxy({ host, port: Number(port) })
  const address = `${proxy.host}:${proxy.port}`
  const storage = await cassandraStorage({ ...keyspace.options(), contactPoints: [address] })
  const restore = await proxy.faults.refuse()
  await vi.waitFor(
    async () => {
      await expect(storage.events.read(taskId)).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        message: expect.stringMatching(`no host can be reached: ${address} is down \\(.*ECONNREFUSED`) as string,
      })
    },
    { timeout: 20_000 },
  )
  await restore()
  await storage.close()
})

test('after an outage, a process that closes its storage comes to its end by itself', async () => {
  const child = fork(join(import.meta.dirname, 'outage-then-end.ts'), [JSON.stringify(keyspace.options())])
  const [code] = await once(child, 'exit', { signal: AbortSignal.timeout(60_000) }).finally(() => child.kill('SIGKILL'))
  expect(code).toBe(0)
})

test("the caller's own client is used as it is, in whatever keyspace it is, and not shut down", async () => {
  const { prefix, keyspace: name } = keyspace.options()
  const client = new Client({ ...addressOf(endpoint), contactPoints: [...endpoint.contactPoints], keyspace: 'system' })
  await migrate({ client, keyspace: name, logger: silentLogger, replication: oneReplica })
  const storage = await cassandraStorage({ client, keyspace: name, prefix, logger: silentLogger })
  expect(await storage.events.read(taskId)).toEqual([])
  await storage.close()
  await expect(storage.events.read(taskId)).rejects.toMatchObject({ code: 'CLOSED' })
  expect((await client.execute('SELECT key FROM local')).rows).toHaveLength(1)
  await client.shutdown()
})

test('closing lets go within a bound, though the server says nothing any more', async () => {
  const [host = '', port = '9042'] = (endpoint.contactPoints[0] ?? '').split(':')
  await using proxy = await tcpProxy({ host, port: Number(port) })
  const storage = await cassandraStorage({ ...keyspace.options(), contactPoints: [`${proxy.host}:${proxy.port}`] })
  const restore = await proxy.faults.stall()
  const read = storage.events.read(taskId)
  const refused = expect(read).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  // Reads of one turn go together, at its end.
  await endOfTurn()
  await storage.close()
  await refused
  await restore()
})
