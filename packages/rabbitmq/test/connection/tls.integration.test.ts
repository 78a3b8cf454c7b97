import { silentLogger } from '@taskledger/core/ports'
import type { RabbitmqMessagingOptions } from '@taskledger/rabbitmq'
import { rabbitmqMessaging } from '@taskledger/rabbitmq'
import type { Authority, TlsFront } from '@taskledger/servers'
import { makeAuthority, tlsFront } from '@taskledger/servers'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { Broker } from '../broker.ts'
import { acceptInto, newMessage, until } from '../client.ts'
import { rememberQueues } from '../harness.ts'

const { url } = inject('servers').amqp
const { hostname, port, username, password } = new URL(url)
const target = { host: hostname, port: Number(port || 5672) }
const prefix = `tls_${process.pid}`
const queues = new Set<string>()

let authority: Authority
let stranger: Authority

beforeAll(async () => {
  ;[authority, stranger] = await Promise.all([makeAuthority(), makeAuthority('Another authority')])
})
afterAll(async () => {
  await (await Broker.connect(url)).close(queues, `${prefix}.events`)
})

const opening = (front: TlsFront, options: Partial<RabbitmqMessagingOptions>, host = '127.0.0.1') =>
  rabbitmqMessaging({
    url: `amqps://${username}:${password}@${host}:${front.port}`,
    prefix,
    logger: rememberQueues(queues),
    // So long that a refusal which is retried would never come.
    connectTimeoutMs: 2 ** 31 - 1,
    confirmTimeoutMs: 30_000,
    ...options,
  })

const frontFor = async (options: Parameters<Authority['issue']>[0] = {}): Promise<TlsFront> =>
  tlsFront(target, await authority.issue(options))

const misconfigured = (message: RegExp) => ({ code: 'MISCONFIGURED', message: expect.stringMatching(message) as string })

/** Opens messaging, sends a message and takes it, and closes. */
const use = async (opened: ReturnType<typeof rabbitmqMessaging>, queue: string): Promise<void> => {
  const { queue: workQueue, close } = await opened
  const taken: string[] = []
  await workQueue.consume(queue, acceptInto(taken), { slots: 1, mode: 'parallel' })
  await workQueue.send(queue, newMessage())
  await until('the message arrives', () => taken.length === 1)
  await close()
}

describe('the certificate of a broker', () => {
  test('is accepted if a trusted authority issued it for the address, or for the host of the url', async () => {
    await using front = await frontFor()
    await use(opening(front, { socketOptions: { ca: authority.ca } }), 'address')
    await using named = await frontFor({ names: ['localhost'] })
    await use(opening(named, { socketOptions: { ca: authority.ca } }, 'localhost'), 'host')
  })

  test.each([
    ['of an unknown authority', () => ({ ca: stranger.ca })],
    ['of an authority that Node does not trust, without a ca', () => ({})],
  ])('%s is refused at once, and described, before anything is sent', async (_title, socketOptions) => {
    await using front = await frontFor()
    await expect(opening(front, { socketOptions: socketOptions() })).rejects.toMatchObject(
      misconfigured(
        /certificate of amqps:\/\/127\.0\.0\.1:\d+ .*"CN=127\.0\.0\.1", issued by "CN=Authority of a test".*`ca` in socketOptions/,
      ),
    )
    expect(front.received()).toBe('')
  })

  test('that has expired, or is for another name, is refused at once', async () => {
    await using expired = await frontFor({ isExpired: true })
    const socketOptions = { ca: authority.ca }
    await expect(opening(expired, { socketOptions })).rejects.toMatchObject(misconfigured(/expired.*valid until.*clock/))
    await using other = await frontFor({ names: ['other.example'] })
    await expect(opening(other, { socketOptions })).rejects.toMatchObject(misconfigured(/other\.example.*`servername` in socketOptions/))
    expect(expired.received() + other.received()).toBe('')
    await use(opening(other, { socketOptions: { ...socketOptions, servername: 'other.example' } }), 'other')
  })
})

test('a broker without TLS is refused at once', async () => {
  const withoutTls = rabbitmqMessaging({ url: url.replace('amqp:', 'amqps:'), prefix, logger: silentLogger, connectTimeoutMs: 2 ** 31 - 1 })
  await expect(withoutTls).rejects.toMatchObject(misconfigured(/does not speak AMQP 0-9-1 with TLS/))
})

test('a broker that asks for a certificate of the client refuses a client without one at once', async () => {
  const { ca } = authority
  await using front = await tlsFront(target, { ...(await authority.issue()), ca, requestCert: true, rejectUnauthorized: true })
  await expect(opening(front, { socketOptions: { ca } })).rejects.toMatchObject(misconfigured(/refuses the TLS handshake.*`cert`/))
  expect(front.received()).toBe('')
  await use(opening(front, { socketOptions: { ca, ...(await authority.issue({ names: ['ada'] })) } }), 'client')
  expect(front.clients).toContain('ada')
})

describe('options from a function', () => {
  test('are asked for at each connection: certificates and users can be renewed without a restart', async () => {
    const { ca } = authority
    await using front = await tlsFront(target, { ...(await authority.issue()), ca, requestCert: true })
    const [first, second] = [await authority.issue({ names: ['first'] }), await authority.issue({ names: ['second'] })]
    let certificate = first
    let asked = 0
    const messaging = await opening(front, {
      // A url without a user.
      url: `amqps://127.0.0.1:${front.port}`,
      credentials: async () => {
        asked++
        return { username: decodeURIComponent(username), password: decodeURIComponent(password) }
      },
      socketOptions: () => ({ ca, ...certificate }),
    })
    expect(new Set(front.clients)).toEqual(new Set(['first']))
    expect(asked).toBe(2)
    certificate = second
    front.cut()
    await until('both connections are open again', () => front.clients.filter((name) => name === 'second').length === 2)
    expect(asked).toBeGreaterThanOrEqual(4)
    await messaging.queue.send('renewed', newMessage())
    await messaging.close()
  })

  test('are refused at the start if they cannot be used', async () => {
    await using front = await frontFor()
    await expect(opening(front, { socketOptions: async () => ({ ca: 'nonsense' }) })).rejects.toMatchObject(
      misconfigured(/socketOptions\.ca is not usable/),
    )
    await expect(opening(front, { socketOptions: { ca: authority.ca }, credentials: () => 'ada' as never })).rejects.toMatchObject(
      misconfigured(/`credentials` gave no username and password/),
    )
    const wrong = { username: 'nobody', password: 'wrong' }
    await expect(opening(front, { socketOptions: { ca: authority.ca }, credentials: () => wrong })).rejects.toMatchObject(
      misconfigured(/refuses the user "nobody"/),
    )
  })
})
