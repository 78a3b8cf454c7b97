import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import type { Logger } from '@taskledger/core/ports'
import type { Authority, TlsFront } from '@taskledger/servers'
import { cassandraStorage } from '@taskledger/cassandra'
import { makeAuthority, tlsFront } from '@taskledger/servers'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { TestKeyspace } from '../cassandra.harness.ts'
import { openKeyspace } from '../cassandra.harness.ts'
import { created, oneId } from '../samples.ts'

const endpoint = inject('servers').cassandra
const [host = '', port = '9042'] = (endpoint.contactPoints[0] ?? '').split(':')
const target = { host, port: Number(port) }

let keyspace: TestKeyspace
let authority: Authority
let stranger: Authority

beforeAll(async () => {
  ;[keyspace, authority, stranger] = await Promise.all([openKeyspace(endpoint), makeAuthority(), makeAuthority('Another authority')])
})
afterAll(async () => {
  await keyspace[Symbol.asyncDispose]()
})

/** So long that a refusal which is retried would never come. */
const connectTimeoutMs = 3_600_000

const password = 'the-password-of-the-user'

const openThrough = (front: TlsFront, options: object) =>
  cassandraStorage({
    ...keyspace.options(),
    contactPoints: [`127.0.0.1:${front.port}`],
    credentials: { username: 'ada', password },
    connectTimeoutMs,
    ...options,
  })

/** A server with a certificate of the authority. */
const frontFor = async (options: Parameters<Authority['issue']>[0] = {}): Promise<TlsFront> =>
  tlsFront(target, await authority.issue(options))

const misconfigured = (message: RegExp) => ({ code: 'MISCONFIGURED', message: expect.stringMatching(message) as string })

/** Opens a storage, uses it, and closes it. */
const use = async (opening: ReturnType<typeof cassandraStorage>): Promise<void> => {
  const storage = await opening
  const taskId = oneId()
  await storage.events.append(taskId, 0, [created(taskId)])
  expect(await storage.events.read(taskId)).toHaveLength(1)
  await storage.close()
}

describe('the certificate of a server', () => {
  test('is accepted if a trusted authority issued it for the address', async () => {
    await using front = await frontFor()
    await use(openThrough(front, { tls: { ca: authority.ca } }))
  })

  test.each([
    ['of an unknown authority', () => ({ ca: stranger.ca })],
    ['of an authority that Node does not trust, without a ca', () => ({})],
  ])('%s is refused at once, and described, before anything is sent', async (_title, tls) => {
    await using front = await frontFor()
    await expect(openThrough(front, { tls: tls() })).rejects.toMatchObject(
      misconfigured(/certificate of 127\.0\.0\.1:\d+ .*"CN=127\.0\.0\.1", issued by "CN=Authority of a test".*`ca` in tls/),
    )
    expect(front.received()).toBe('')
  })

  test('that has expired is refused at once', async () => {
    await using front = await frontFor({ isExpired: true })
    await expect(openThrough(front, { tls: { ca: authority.ca } })).rejects.toMatchObject(misconfigured(/expired.*valid until.*clock/))
    expect(front.received()).toBe('')
  })

  test('for another name is refused at once, and accepted with that servername', async () => {
    await using front = await frontFor({ names: ['other.example'] })
    await expect(openThrough(front, { tls: { ca: authority.ca } })).rejects.toMatchObject(
      misconfigured(/DNS:other\.example, and not 127\.0\.0\.1.*`servername`/),
    )
    expect(front.received()).toBe('')
    await use(openThrough(front, { tls: { ca: authority.ca, servername: 'other.example' } }))
  })

  test('for the name of a contact point is accepted, although the driver connects by address', async () => {
    await using front = await frontFor({ names: ['localhost'] })
    await use(openThrough(front, { contactPoints: [`localhost:${front.port}`], tls: { ca: authority.ca } }))
  })

  test('is not checked if the caller says so', async () => {
    await using front = await frontFor({ isExpired: true })
    await use(openThrough(front, { tls: { rejectUnauthorized: false } }))
  })
})

test('a server without TLS is refused at once', async () => {
  // As Cassandra answers bytes that are no frame of its protocol. The server of the run may speak TLS as well.
  const plain = createServer((socket) => socket.on('error', () => {}).end(Buffer.from([0x85, 0, 0, 0, 0, 0, 0, 0, 0])))
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
  const { port: plainPort } = plain.address() as AddressInfo
  const contactPoints = [`127.0.0.1:${plainPort}`]
  const opening = cassandraStorage({ ...keyspace.options(), contactPoints, tls: { ca: authority.ca }, connectTimeoutMs })
  await expect(opening).rejects.toMatchObject(misconfigured(/does not speak TLS/))
  plain.close()
})

test('a server that asks for a certificate of the client refuses a client without one at once', async () => {
  await using front = await tlsFront(target, {
    ...(await authority.issue()),
    ca: authority.ca,
    requestCert: true,
    rejectUnauthorized: true,
  })
  const { ca } = authority
  await expect(openThrough(front, { tls: { ca } })).rejects.toMatchObject(misconfigured(/refuses the TLS handshake.*`cert`/))
  expect(front.received()).toBe('')
  await use(openThrough(front, { tls: { ca, ...(await authority.issue({ names: ['ada'] })) } }))
  expect(front.clients).toContain('ada')
})

describe('TLS options from a function', () => {
  test.for([
    ['at once', <T>(value: T): T | Promise<T> => value],
    ['later', <T>(value: T): T | Promise<T> => Promise.resolve(value)],
  ] as const)('that answers %s are those of the next connection', async ([, answer], { expect }) => {
    const { ca } = authority
    await using front = await tlsFront(target, { ...(await authority.issue()), ca, requestCert: true })
    const [first, second] = [await authority.issue({ names: ['first'] }), await authority.issue({ names: ['second'] })]
    let current = first
    const storage = await openThrough(front, { tls: () => answer({ ca, ...current }) })
    expect(new Set(front.clients)).toEqual(new Set(['first']))
    current = second
    const reconnected = async (): Promise<TlsFront['clients']> => {
      front.cut()
      await expect.poll(() => storage.events.read(oneId()).catch(() => undefined), { timeout: 60_000 }).toEqual([])
      return front.clients
    }
    await expect.poll(reconnected, { timeout: 60_000 }).toContain('second')
    await storage.close()
  })

  test('that cannot be used are refused at the start', async () => {
    await using front = await frontFor()
    await expect(openThrough(front, { tls: () => ({ ca: 'nonsense' }) })).rejects.toMatchObject(misconfigured(/tls\.ca is not usable/))
  })

  test('are kept when the function fails', async ({ expect }) => {
    await using front = await frontFor()
    const warnings: string[] = []
    const logger: Logger = { debug() {}, info() {}, error() {}, warn: (_fields, message) => void warnings.push(message) }
    let isDown = false
    const tls = () => {
      if (isDown) throw new Error('the vault is down')
      return { ca: authority.ca }
    }
    const storage = await openThrough(front, { tls, logger })
    isDown = true
    front.cut()
    await expect.poll(() => warnings, { timeout: 60_000 }).toContain('failed to renew the TLS options: using the last ones')
    await expect.poll(() => storage.events.read(oneId()).catch(() => undefined), { timeout: 60_000 }).toEqual([])
    await storage.close()
  })
})
