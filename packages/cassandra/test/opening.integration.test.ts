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

/** The error of an opening that has to fail. */
const refusalOf = async (options: object): Promise<{ code: unknown; message: string }> => {
  const opening = cassandraStorage({ ...keyspace.options(), connectTimeoutMs, ...options })
  try {
    await (await opening).close()
  } catch (error) {
    return error as { code: unknown; message: string }
  }
  throw new Error('a storage was opened, but should have been refused')
}

test('the error of a wrong contact point says where it connected, what failed, and what to check', async () => {
  const { code, message } = await refusalOf({ contactPoints: ['127.0.0.1:9'] })
  expect(code).toBe('UNAVAILABLE')
  expect(message).toMatch(/127\.0\.0\.1:9 within 1500 ms.*ECONNREFUSED.*contactPoints/)
  expect(await refusalOf({ contactPoints: ['nowhere.invalid'] })).toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(/nowhere\.invalid/) as string,
  })
})

test('the error of a wrong data centre names the data centres of the cluster', async () => {
  const { code, message } = await refusalOf({ localDataCenter: 'atlantis' })
  expect(code).toBe('MISCONFIGURED')
  expect(message).toContain('atlantis')
  expect(message).toContain(endpoint.localDataCenter)
})

test('the error of a missing keyspace names migrate', async () => {
  const { code, message } = await refusalOf({ keyspace: 'never_created' })
  expect(code).toBe('MISCONFIGURED')
  expect(message).toMatch(/never_created.*migrate\(/)
})

test('the error of a keyspace without a schema names migrate', async () => {
  const empty = freshKeyspaceName()
  await runPlainly(endpoint, [[`CREATE KEYSPACE "${empty}" WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`]])
  const refusal = await refusalOf({ keyspace: empty })
  await runPlainly(endpoint, [[`DROP KEYSPACE "${empty}"`]])
  expect(refusal).toMatchObject({ code: 'MISCONFIGURED', message: expect.stringMatching(/no schema: call migrate\(\)/) as string })
})

test('a table that is dropped under a running node is reported as missing', async () => {
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

test('wrong options are MISUSE', async () => {
  for (const wrong of [{ keyspace: 'a-b' }, { prefix: '' }, { prefix: 'a b' }, { contactPoints: [] }, { connectTimeoutMs: 0 }])
    await expect(cassandraStorage({ ...keyspace.options(), ...wrong })).rejects.toSatisfy(isMisuse)
})

test('the opening retries while the server is down, and logs that once', async () => {
  const [host = '', port = '9042'] = (endpoint.contactPoints[0] ?? '').split(':')
  await using proxy = await tcpProxy({ host, port: Number(port) })
  const restore = await proxy.faults.refuse()
  const messages: string[] = []
  const record = (_fields: object, message: string): void => void messages.push(message)
  const loggedFailure = Promise.withResolvers<void>()
  const logger: Logger = {
    debug() {},
    info: record,
    warn(fields, message) {
      record(fields, message)
      loggedFailure.resolve()
    },
    error: record,
  }
  const opening = cassandraStorage({
    ...keyspace.options(),
    contactPoints: [`${proxy.host}:${proxy.port}`],
    connectTimeoutMs: 20_000,
    logger,
  })
  await loggedFailure.promise
  await restore()
  const storage = await opening
  expect(await storage.events.read(taskId)).toEqual([])
  await storage.close()
  expect(messages).toEqual(['failed to reach Cassandra: retrying', 'connected to Cassandra after retries'])
})

test('the opening gives up in time on a server that accepts connections and does not answer', async () => {
  const [host = '', port = '9042'] = (endpoint.contactPoints[0] ?? '').split(':')
  await using proxy = await tcpProxy({ host, port: Number(port) })
  const restore = await proxy.faults.stall()
  const { code, message } = await refusalOf({ contactPoints: [`${proxy.host}:${proxy.port}`] })
  await restore()
  expect(code).toBe('UNAVAILABLE')
  expect(message).toContain(`${proxy.host}:${proxy.port}`)
})

test('when a server goes down under a running node, each error names the host and what is wrong with it', async () => {
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

test('after an outage, a process that closes its storage exits by itself', async () => {
  const child = fork(join(import.meta.dirname, 'outage-then-end.ts'), [JSON.stringify(keyspace.options())])
  const [code] = await once(child, 'exit', { signal: AbortSignal.timeout(60_000) }).finally(() => child.kill('SIGKILL'))
  expect(code).toBe(0)
})

test("the caller's own client is used in whatever keyspace it has, and not shut down", async () => {
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

test('a close ends within a bound when the server does not answer', async () => {
  const [host = '', port = '9042'] = (endpoint.contactPoints[0] ?? '').split(':')
  await using proxy = await tcpProxy({ host, port: Number(port) })
  const storage = await cassandraStorage({ ...keyspace.options(), contactPoints: [`${proxy.host}:${proxy.port}`] })
  const restore = await proxy.faults.stall()
  const read = storage.events.read(taskId)
  const refused = expect(read).rejects.toMatchObject({ code: 'CLOSED' })
  // The reads of a turn are sent at its end.
  await endOfTurn()
  await storage.close()
  await refused
  await restore()
})
