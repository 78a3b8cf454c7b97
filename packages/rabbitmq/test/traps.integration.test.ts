import { setTimeout as sleep } from 'node:timers/promises'
import type { Delivery, WorkMessage } from '@taskledger/core/ports'
import { expect, inject, test } from 'vitest'
import { acceptInto, failureOf, gate, largeMessage, newMessage, TestClient, until } from './client.ts'

const { url } = inject('servers').amqp

// An unhandled error fails the run: half of these tests are about that.

test('a connection that is cut at any moment of its set-up is set up again', async () => {
  await using client = await TestClient.open(url)
  const taken: string[] = []
  await client.messaging.queue.consume('default', acceptInto(taken), { slots: 3, mode: 'parallel' })
  await client.messaging.queue.consume('one', acceptInto(taken), { slots: 1, mode: 'serial' })
  for (let ms = 0; ms < 200; ms += 7) {
    await client.proxy.faults.cut()
    await sleep(ms % 70)
  }
  const messages = [newMessage(), newMessage()] as const
  const send = async (queue: string, index: 0 | 1): Promise<boolean> => {
    await client.messaging.queue.send(queue, messages[index]).catch(() => {})
    return taken.includes(messages[index].taskId)
  }
  await until(
    'messages come through again',
    async () => (await send('default', 0)) && send('one', 1),
    () => taken,
  )
})

test('settling after the connection was lost changes nothing and throws nothing, and the message is delivered again', async () => {
  await using client = await TestClient.open(url)
  const held = gate()
  const settled: string[] = []
  const runs: Delivery[] = []
  const ways = ['accept', 'release', 'reject'] as const
  const handler = async (delivery: Delivery): Promise<void> => {
    runs.push(delivery)
    if (delivery.redelivered || settled.length === 3) return delivery.accept()
    await held.opened
    const way = ways[settled.push('') % 3] ?? 'accept'
    await (way === 'reject' ? delivery.reject('too late') : delivery[way]())
  }
  await client.messaging.queue.consume('default', handler, { slots: 6, mode: 'parallel' })
  const messages = [newMessage(), newMessage(), newMessage()]
  for (const message of messages) await client.messaging.queue.send('default', message)
  await until('three handlers run', () => runs.length === 3)
  await client.proxy.faults.cut()
  await until('the messages are delivered again', () => runs.length === 6)
  held.open()
  await until('the late handlers have settled', () => settled.length === 3)
  const last = newMessage()
  await client.messaging.queue.send('default', last)
  await until('the next message comes', () => runs.some(({ message }) => message.taskId === last.taskId))
  expect(runs).toHaveLength(7)
  expect(await client.broker.count(client.dead('default'))).toBe(0)
})

test('a send that was sent before the connection was lost is OUTCOME_UNKNOWN at once, not after its timeout', async () => {
  await using client = await TestClient.open(url, { confirmTimeoutMs: 60_000, heartbeatSeconds: 30 })
  await client.messaging.queue.send('default', newMessage())
  const heal = await client.proxy.faults.stall()
  const failures = Array.from({ length: 20 }, () => failureOf(client.messaging.queue.send('default', newMessage())))
  // The messages are written to the socket in the next turn of the event loop.
  await sleep(50)
  await Promise.all([client.proxy.faults.cut(), heal()])
  expect(new Set((await Promise.all(failures)).map(({ code }) => code))).toEqual(new Set(['OUTCOME_UNKNOWN']))
})

test('a send that begins while the connection is lost goes with the next connection', async () => {
  await using client = await TestClient.open(url, { confirmTimeoutMs: 20_000 })
  await client.messaging.queue.send('default', newMessage())
  const heal = await client.proxy.faults.refuse()
  await until('both connections are lost', () => client.logged.filter(({ level }) => level === 'warn').length === 2)
  const sent = Promise.all(Array.from({ length: 20 }, () => client.messaging.queue.send('default', newMessage())))
  await heal()
  await sent
  await until('all messages are in the queue', async () => (await client.broker.count(client.work('default'))) === 21)
})

test('a channel that the broker closes is reopened, although its connection lives', async () => {
  await using client = await TestClient.open(url)
  const heard: number[] = []
  let gaps = 0
  client.messaging.bus.subscribe(({ version }) => heard.push(version))
  client.messaging.bus.onGap(() => gaps++)
  const publish = (version: number): Promise<void> =>
    client.messaging.bus.publish([{ taskId: newMessage().taskId, version, type: 'TaskStarted', status: 'inProgress', node: 'n' }])
  await publish(1)
  await client.broker.deleteExchange(`${client.prefix}.events`)
  // The broker answers with 404 and closes the channel. The queues of all clients are now bound to nothing.
  expect((await failureOf(publish(2))).code).toBe('OUTCOME_UNKNOWN')
  await until('notices can be published again', () =>
    publish(3).then(
      () => true,
      () => false,
    ),
  )
  await until('the client notices that it receives nothing, and announces a gap', () => gaps > 0)
  await publish(4)
  await until('the client receives notices again', () => heard.includes(4))
  await client.messaging.queue.send('default', newMessage())
  expect(client.disconnections).toEqual([])
})

test('messages beyond the capacity of the socket wait, and all of them arrive', async () => {
  await using client = await TestClient.open(url, { maxUnconfirmed: 50, confirmTimeoutMs: 20_000 })
  const taken: string[] = []
  const messages = Array.from({ length: 200 }, () => largeMessage(100_000))
  const send = (message: WorkMessage): Promise<void> => client.messaging.queue.send('default', message)
  await Promise.all(messages.map(send))
  await client.messaging.queue.consume('default', acceptInto(taken), { slots: 4, mode: 'parallel' })
  await until('all messages arrive', () => taken.length === 200)
  expect(taken).toEqual(messages.map(({ taskId }) => taskId))
})

test('the bytes that wait for a silent broker are bounded: a send above the bound is refused at once', async () => {
  await using client = await TestClient.open(url, { maxMessageBytes: 100_000, confirmTimeoutMs: 10_000 })
  await client.messaging.queue.send('default', newMessage())
  const heal = await client.proxy.faults.stall()
  const failures = Array.from({ length: 14 }, () => failureOf(client.messaging.queue.send('default', largeMessage(50_000))))
  const first = await Promise.race(failures)
  expect(first.message).toContain('too many bytes wait already')
  expect(new Set((await Promise.all(failures)).map(({ code }) => code))).toEqual(new Set(['UNAVAILABLE', 'OUTCOME_UNKNOWN']))
  await heal()
})

test('a queue that is deleted under its consumers is declared again, and they consume it', async () => {
  await using client = await TestClient.open(url, { confirmTimeoutMs: 20_000 })
  const taken: string[] = []
  await client.messaging.queue.consume('default', acceptInto(taken), { slots: 2, mode: 'parallel' })
  await client.messaging.queue.consume('one', acceptInto(taken), { slots: 1, mode: 'serial' })
  for (const queue of ['default', 'one']) await client.messaging.queue.send(queue, newMessage())
  for (const queue of [client.work('default'), client.work('one'), `${client.prefix}.serial.one`, client.dead('default')]) {
    await client.broker.delete(queue)
    const messages = [newMessage(), newMessage()] as const
    await client.messaging.queue.send('default', messages[0])
    await client.messaging.queue.send('one', messages[1])
    await until(
      `messages come through after ${queue} was deleted`,
      () => messages.every(({ taskId }) => taken.includes(taskId)),
      () => taken,
    )
  }
})

test('a queue that is deleted under its sender is declared again and gets the message', async () => {
  await using client = await TestClient.open(url, { confirmTimeoutMs: 20_000 })
  await client.messaging.queue.send('default', newMessage())
  await client.broker.delete(client.work('default'))
  const message = newMessage()
  await client.messaging.queue.send('default', message)
  const texts = await client.broker.textsOf(client.work('default'))
  expect(texts).toEqual([expect.stringContaining(message.taskId)])
})

test('send and consume refuse a queue with other arguments, name the argument and what to do, and leave the queue as it is', async () => {
  await using client = await TestClient.open(url)
  const name = client.own(client.work('default'))
  await client.broker.declare(name, { 'x-queue-type': 'quorum', 'x-delivery-limit': 7 })
  await client.broker.publish('', name, Buffer.from('precious'))
  for (const call of [
    () => client.messaging.queue.send('default', newMessage()),
    () => client.messaging.queue.consume('default', async () => {}, { slots: 1, mode: 'parallel' }),
    () => client.messaging.queue.consume('default', async () => {}, { slots: 1, mode: 'serial' }),
  ]) {
    const error = await failureOf(call())
    expect(error.code).toBe('MISCONFIGURED')
    expect(error.message).toContain(name)
    expect(error.message).toMatch(/x-(delivery-limit|dead-letter)/)
    expect(error.message).toMatch(/another prefix, or delete it/)
  }
  expect(await client.broker.textsOf(name)).toEqual([expect.stringContaining('precious')])
  await client.messaging.queue.send('another', newMessage())
})

test('the depth of a queue with other arguments is MISCONFIGURED, for a client that never sends to it', async () => {
  await using client = await TestClient.open(url)
  expect(await client.messaging.queue.depth('default')).toBe(0)
  expect(await client.broker.count(client.work('default'))).toBeUndefined()
  const name = client.own(client.work('default'))
  await client.broker.declare(name, { 'x-queue-type': 'quorum', 'x-delivery-limit': 7 })
  const error = await failureOf(client.messaging.queue.depth('default'))
  expect([error.code, error.message]).toEqual(['MISCONFIGURED', expect.stringContaining(`the queue "${name}" exists with other arguments`)])
})

test('a notice that the broker refuses is published again, without an error or a line in the log', async () => {
  await using client = await TestClient.open(url)
  const full = client.own(`${client.prefix}.full`)
  // A full queue that refuses messages makes the broker refuse every notice that it would get.
  await client.broker.declare(full, { 'x-max-length': 1, 'x-overflow': 'reject-publish' })
  await client.broker.publish('', full, Buffer.from('full'))
  await client.broker.bind(full, `${client.prefix}.events`)
  const heard: number[] = []
  let gaps = 0
  client.messaging.bus.subscribe(({ version }) => heard.push(version))
  client.messaging.bus.onGap(() => gaps++)
  const { taskId } = newMessage()
  const published = client.messaging.bus.publish([{ taskId, version: 1, type: 'TaskStarted', status: 'inProgress', node: 'n' }])
  await until('the notice was published again', () => heard.length > 1)
  await client.broker.delete(full)
  await published
  expect(new Set(heard)).toEqual(new Set([1]))
  expect(gaps).toBe(0)
  expect(client.logged.filter(({ level }) => level !== 'info')).toEqual([])
})

test('messages that a process received just before it stood still are delivered to other clients', async () => {
  await using frozen = await TestClient.open(url)
  await using other = await TestClient.open(url, { prefix: frozen.prefix })
  const [before, taken]: [string[], string[]] = [[], []]
  await frozen.messaging.queue.consume('default', acceptInto(before), { slots: 4, mode: 'parallel' })
  await other.messaging.queue.consume('default', acceptInto(taken), { slots: 1, mode: 'parallel' })
  // Nothing comes or goes, and no connection is closed: so a frozen process looks to the broker.
  const heal = await frozen.proxy.faults.stall()
  const messages = Array.from({ length: 8 }, () => newMessage())
  for (const message of messages) await other.messaging.queue.send('default', message)
  await until(
    'the other client has taken all of them',
    () => messages.every(({ taskId }) => taken.includes(taskId)),
    () => taken,
  )
  expect(before).toEqual([])
  await heal()
})

test('a message above maxMessageBytes is refused before it is sent', async () => {
  await using client = await TestClient.open(url, { maxMessageBytes: 2_000 })
  const error = await failureOf(client.messaging.queue.send('default', largeMessage(3_000)))
  expect(error.code).toBe('TOO_LARGE')
  expect(await client.broker.count(client.work('default'))).toBeUndefined()
})

test('a megabyte of zeros, foreign JSON and foreign headers stop neither the queue nor the bus', async () => {
  await using client = await TestClient.open(url)
  const [taken, heard]: [string[], number[]] = [[], []]
  const releases: number[] = []
  const handler = async (delivery: Delivery): Promise<void> => {
    releases.push(delivery.releases)
    await acceptInto(taken)(delivery)
  }
  await client.messaging.queue.consume('default', handler, { slots: 2, mode: 'parallel' })
  client.messaging.bus.subscribe(({ version }) => heard.push(version))
  const strange = [Buffer.alloc(1_000_000), Buffer.from('{"order":17}'), Buffer.from('\n'.repeat(1_000))]
  for (const bytes of strange) {
    await client.broker.publish('', client.work('default'), bytes)
    await client.broker.publish(`${client.prefix}.events`, '', bytes)
  }
  const message = newMessage()
  const text = Buffer.from(JSON.stringify({ v: 1, ...message }))
  for (const header of ['many', -1, 1e300, null, { a: 1 }]) {
    await client.broker.publish('', client.work('default'), text, { headers: { 'taskledger-releases': header }, contentType: 'text/plain' })
  }
  await client.messaging.bus.publish([{ taskId: message.taskId, version: 7, type: 'TaskStarted', status: 'inProgress', node: 'n' }])
  await until(
    'the messages and the notice that can be decoded arrive',
    () => taken.length === 5 && heard.length === 1,
    () => ({ taken, heard }),
  )
  expect(releases).toEqual([0, 0, 0, 0, 0])
  await until('the other messages are among the dead letters', async () => (await client.broker.count(client.dead('default'))) === 3)
})

test('an accepted message is acknowledged while its run outlasts the lazy acknowledgement; the slot takes messages again after the run', async () => {
  await using client = await TestClient.open(url)
  const [held, taken]: [ReturnType<typeof gate>, string[]] = [gate(), []]
  const handler = async (delivery: Delivery): Promise<void> => {
    await acceptInto(taken)(delivery)
    if (taken.length === 1) await held.opened
  }
  await client.messaging.queue.consume('default', handler, { slots: 1, mode: 'parallel' })
  await client.messaging.queue.send('default', newMessage())
  await until('the run has begun', () => taken.length === 1)
  await client.messaging.queue.send('default', newMessage())
  await until('the queue has no consumer', async () => (await client.broker.consumers(client.work('default'))) === 0)
  await client.proxy.faults.cut()
  await until('the connection is back', () =>
    client.messaging.queue.send('default', newMessage()).then(
      () => true,
      () => false,
    ),
  )
  expect(taken).toHaveLength(1)
  held.open()
  await until('the other messages arrive', () => taken.length === 3)
})

test('a serial consumer that is repeatedly resized to 0 and back gives up the token each time, and takes it again', async () => {
  await using client = await TestClient.open(url)
  const other = await client.another()
  const [ones, others]: [string[], string[]] = [[], []]
  const one = await client.messaging.queue.consume('one', acceptInto(ones), { slots: 1, mode: 'serial' })
  const two = await other.queue.consume('one', acceptInto(others), { slots: 0, mode: 'serial' })
  for (let round = 1; round <= 3; round++) {
    await client.messaging.queue.send('one', newMessage())
    await until('the first consumer takes the message', () => ones.length === round)
    one.resize(0)
    one.resize(1)
    one.resize(0)
    two.resize(1)
    await client.messaging.queue.send('one', newMessage())
    await until('the second consumer takes the message', () => others.length === round)
    two.resize(0)
    one.resize(1)
  }
})

test('a queue that is deleted under a thousand sends gets all of them, and the deletion is logged once', async () => {
  await using client = await TestClient.open(url, { confirmTimeoutMs: 10_000 })
  await client.messaging.queue.send('default', newMessage())
  await client.broker.delete(client.work('default'))
  await Promise.all(Array.from({ length: 1_000 }, () => client.messaging.queue.send('default', newMessage())))
  expect(await client.broker.count(client.work('default'))).toBe(1_000)
  expect(client.logged.filter(({ message }) => /deleted/.test(message))).toHaveLength(1)
})
