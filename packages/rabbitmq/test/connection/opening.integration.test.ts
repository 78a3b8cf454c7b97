import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { silentLogger } from '@taskledger/core/ports'
import { rabbitmqMessaging } from '@taskledger/rabbitmq'
import type { RabbitmqMessagingOptions } from '@taskledger/rabbitmq'
import { tcpProxy } from '@taskledger/test-kit'
import { expect, inject, test } from 'vitest'
import { acceptInto, failureOf, newMessage, TestClient, until } from '../client.ts'
import { quickly } from '../harness.ts'

const { url } = inject('servers').amqp

const changed = (change: (url: URL) => void): string => {
  const copy = new URL(url)
  change(copy)
  return copy.href
}

const opening = (options: Partial<RabbitmqMessagingOptions> & Pick<RabbitmqMessagingOptions, 'url'>): Promise<Error & { code?: string }> =>
  failureOf(rabbitmqMessaging({ logger: silentLogger, ...quickly, ...options }))

test('the error of a wrong password comes at once, names the user and what to check, and never shows the password', async () => {
  const error = await opening({ url: changed((url) => (url.password = 'sesame')) })
  expect(error.code).toBe('MISCONFIGURED')
  expect(error.message).toMatch(/refuses the user "guest": check the user and the password/)
  expect(error.message).not.toContain('sesame')
})

test('the error of a missing vhost comes at once and names it', async () => {
  const error = await opening({ url: changed((url) => (url.pathname = '/nobody-has-made-it')) })
  expect(error.code).toBe('MISCONFIGURED')
  expect(error.message).toMatch(/refuses the vhost "nobody-has-made-it".*add_vhost/)
})

test('an unknown host and a closed port are UNAVAILABLE after connectTimeoutMs, each with its error', async () => {
  const error = await opening({ url: ['amqp://nowhere.invalid', 'amqp://127.0.0.1:1'], connectTimeoutMs: 400 })
  expect(error.code).toBe('UNAVAILABLE')
  expect(error.message).toMatch(
    /amqp:\/\/nowhere.invalid:5672: .*(ENOTFOUND|EAI_AGAIN).*amqp:\/\/127.0.0.1:1: .*ECONNREFUSED.*check the url/,
  )
})

test('a server that accepts the connection and never answers is UNAVAILABLE after connectTimeoutMs', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await new Promise((resolve) => silent.once('listening', resolve))
  const { port } = silent.address() as AddressInfo
  const error = await opening({ url: `amqp://127.0.0.1:${port}`, connectTimeoutMs: 400 })
  expect(error.code).toBe('UNAVAILABLE')
  expect(error.message).toContain(`amqp://127.0.0.1:${port}`)
  silent.close()
})

test('a server that does not speak AMQP is MISCONFIGURED', async () => {
  const stranger = createServer((socket) => {
    socket.on('error', () => {})
    socket.end(Buffer.alloc(32))
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => stranger.once('listening', resolve))
  const { port } = stranger.address() as AddressInfo
  const error = await opening({ url: `amqp://127.0.0.1:${port}` })
  expect(error.code).toBe('MISCONFIGURED')
  expect(error.message).toContain('does not speak AMQP')
  stranger.close()
})

test('the first of several addresses that accepts the connection is used, whatever the others answer', async () => {
  const wrong = changed((url) => (url.password = 'sesame'))
  await using client = await TestClient.open(url)
  const messaging = await client.another({ url: ['amqp://127.0.0.1:1', wrong, url] })
  const taken: string[] = []
  await messaging.queue.consume('default', acceptInto(taken), { slots: 1, mode: 'parallel' })
  await messaging.queue.send('default', newMessage())
  await until('the message arrives', () => taken.length === 1)
})

test('opening waits for a broker that is down, and logs that once per connection', async () => {
  const { hostname, port } = new URL(url)
  await using proxy = await tcpProxy({ host: hostname, port: Number(port || 5672) })
  const heal = await proxy.faults.refuse()
  const warnings: string[] = []
  const warn = (_fields: object, message: string): void => void warnings.push(message)
  const logger = { debug: () => {}, info: () => {}, warn, error: warn }
  const behindProxy = changed((url) => (url.host = `${proxy.host}:${proxy.port}`))
  const opened = rabbitmqMessaging({ ...quickly, url: behindProxy, prefix: `t_${process.pid}_down`, logger })
  await until('both connections have been tried', () => warnings.length === 2)
  await heal()
  const messaging = await opened
  expect(warnings).toEqual(Array.from({ length: 2 }, () => 'cannot connect to the broker: retrying'))
  await messaging.close()
})

test('closing works while the broker is down, and twice', async () => {
  const client = await TestClient.open(url)
  await client.messaging.queue.consume('default', async () => {}, { slots: 2, mode: 'parallel' })
  await client.messaging.queue.consume('one', async () => {}, { slots: 1, mode: 'serial' })
  const heal = await client.proxy.faults.refuse()
  const sending = client.messaging.queue.send('default', newMessage())
  const failure = failureOf(sending)
  await Promise.all([client.messaging.close(), client.messaging.close()])
  expect((await failure).code).toBe('CLOSED')
  await heal()
  await client[Symbol.asyncDispose]()
})

test('two prefixes on one vhost do not see each other', async () => {
  await using one = await TestClient.open(url)
  await using other = await TestClient.open(url)
  const [ones, others]: [string[], string[]] = [[], []]
  await one.messaging.queue.consume('default', acceptInto(ones), { slots: 1, mode: 'parallel' })
  await other.messaging.queue.consume('default', acceptInto(others), { slots: 1, mode: 'parallel' })
  const heard: string[] = []
  one.messaging.bus.subscribe(({ node }) => heard.push(`one: ${node}`))
  other.messaging.bus.subscribe(({ node }) => heard.push(`other: ${node}`))
  const messages = [newMessage(), newMessage()] as const
  await one.messaging.queue.send('default', messages[0])
  await other.messaging.queue.send('default', messages[1])
  for (const { messaging } of [one, other]) {
    const { taskId } = messages[0]
    await messaging.bus.publish([
      { taskId, version: 1, type: 'TaskCreated', status: 'waiting', node: messaging === one.messaging ? 'a' : 'b' },
    ])
  }
  await until(
    'each client has received its own message and notice',
    () => ones.length + others.length === 2 && heard.length === 2,
    () => ({ ones, others, heard }),
  )
  expect([ones, others]).toEqual([[messages[0].taskId], [messages[1].taskId]])
  expect(heard.sort()).toEqual(['one: a', 'other: b'])
})
