import process from 'node:process'
import type { Delivery, TaskMessaging, WorkMessage } from '@taskledger/core/ports'
import { silentLogger } from '@taskledger/core/ports'
import { rabbitmqMessaging } from '@taskledger/rabbitmq'
import { makeAuthority, startRabbitmq } from '@taskledger/servers'
import type { Authority, RabbitmqProcess } from '@taskledger/servers'
import type { Harness } from '@taskledger/test-kit'
import { eventBusContract, workQueueContract } from '@taskledger/test-kit'
import { describeContract } from '@taskledger/test-kit/vitest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Broker } from './broker.ts'
import { acceptInto, failureOf, gate, largeMessage, newMessage, TestClient, until } from './client.ts'
import { harnessFor, quickly } from './harness.ts'

// A broker of its own: the faults would disturb all other tests.
let broker: RabbitmqProcess
let authority: Authority

beforeAll(async () => {
  authority = await makeAuthority()
  broker = await startRabbitmq({ name: 'faulty', say: () => {}, tls: { ca: authority.ca, ...(await authority.issue()) } })
})

afterAll(() => broker.stop())

const restart = async (): Promise<void> => {
  await broker.flush()
  await broker.kill()
  await broker.start()
}

const patient = { connectTimeoutMs: 60_000, confirmTimeoutMs: 30_000 }

describe('a broker with TLS', { concurrent: false }, () => {
  const opening = (socketOptions: object) =>
    rabbitmqMessaging({ url: `amqps://127.0.0.1:${broker.tlsPort}`, socketOptions, logger: silentLogger, connectTimeoutMs: 2 ** 31 - 1 })
  const misconfigured = (message: RegExp) => ({ code: 'MISCONFIGURED', message: expect.stringMatching(message) as string })

  test('lets in a client with a certificate', async () => {
    const messaging = await opening({ ca: authority.ca, ...(await authority.issue({ names: ['ada'] })) })
    await messaging.queue.send('secret', newMessage())
    await messaging.close()
  })

  test('is refused at once if its authority is unknown, and refuses a client without a certificate of its authority at once', async () => {
    const client = await authority.issue({ names: ['ada'] })
    const stranger = await makeAuthority('Another authority')
    await expect(opening({ ca: stranger.ca, ...client })).rejects.toMatchObject(misconfigured(/issued by "CN=Authority of a test"/))
    for (const wrong of [{}, await stranger.issue({ names: ['ada'] })])
      await expect(opening({ ca: authority.ca, ...wrong })).rejects.toMatchObject(misconfigured(/refuses the TLS handshake.*`cert`/))
  })
})

// One after another, because each test changes the broker.
describe('a broker with faults', { concurrent: false }, () => {
  describe('the rules of the kit', { concurrent: false }, () => {
    const restarted = <Port extends 'queue' | 'bus'>(port: Port): Harness<TaskMessaging[Port]> => ({
      name: 'rabbitmq, restarted',
      timing: { deadlineMs: 60_000 },
      open: async (options) => {
        const subject = await harnessFor(port, broker.endpoint).open(options)
        return { ...subject, faults: { ...subject.faults, restart } }
      },
    })
    const contract = workQueueContract(restarted('queue'))
    const busContract = eventBusContract(restarted('bus'))
    // The other rules run on the shared broker, which is another one if the environment chooses this one.
    const isChosen = (process.env['RABBITMQ_HOME'] ?? '') !== ''
    describeContract({ ...contract, rules: contract.rules.filter(({ id }) => isChosen || id === 'WQ-1.3' || id === 'WQ-F.6') })
    describeContract({ ...busContract, rules: busContract.rules.filter(({ id }) => isChosen || id === 'EB-F.6') })
  })

  test('a restart under load loses no message, and the client goes on by itself', async () => {
    await using client = await TestClient.open(broker.endpoint.url, patient)
    const taken: string[] = []
    let gaps = 0
    client.messaging.bus.onGap(() => gaps++)
    await client.messaging.queue.consume('default', acceptInto(taken), { slots: 4, mode: 'parallel' })
    await client.messaging.queue.consume('one', acceptInto(taken), { slots: 1, mode: 'serial' })
    const sent = new Set<string>()
    let isOver = false
    const sendOn = async (queue: string): Promise<void> => {
      while (!isOver) {
        const message = newMessage()
        // A send that failed is repeated.
        while (
          !(await client.messaging.queue.send(queue, message).then(
            () => true,
            () => false,
          ))
        )
          continue
        sent.add(message.taskId)
      }
    }
    const senders = ['default', 'default', 'default', 'one'].map(sendOn)
    await until('messages are taken', () => taken.length > 50)
    await restart()
    const before = taken.length
    await until('messages are taken after the restart', () => taken.length > before + 50)
    isOver = true
    await Promise.all(senders)
    // By a set: a search through thousands of taken messages for each sent one would keep the consumers from running.
    const missing = (): readonly string[] => {
      const arrived = new Set(taken)
      return [...sent].filter((taskId) => !arrived.has(taskId))
    }
    await until(
      'every sent message is taken',
      () => missing().length === 0,
      () => `${missing().length} of ${sent.size} are missing`,
    )
    expect(gaps).toBeGreaterThan(0)
    // Two connections, each lost and opened again once: not a line for each attempt.
    expect(client.disconnections.length).toBeLessThanOrEqual(4)
  })

  test('while the broker is short of memory sends wait and then fail, and consumers and releases go on; afterwards sends work again', async () => {
    await using client = await TestClient.open(broker.endpoint.url)
    const runs: Delivery[] = []
    const held = gate()
    const handler = async (delivery: Delivery): Promise<void> => {
      runs.push(delivery)
      if (runs.length > 2) return delivery.accept()
      await held.opened
      await delivery.release()
    }
    await client.messaging.queue.consume('default', handler, { slots: 1, mode: 'parallel' })
    for (let count = 0; count < 2; count++) await client.messaging.queue.send('default', newMessage())
    await until('a handler runs', () => runs.length === 1)
    await broker.ctl('set_vm_memory_high_watermark', '0.0000001')
    try {
      // The broker tells that it blocks only when a message is published, and its alarm may rise after the command has returned.
      const failures: (Error & { readonly code?: string })[] = []
      await until(
        'a send fails because the broker blocks publishers',
        async () => {
          await client.messaging.queue.send('default', newMessage()).catch((error: Error) => void failures.push(error))
          return failures.at(-1)?.message.includes('the broker blocks publishers (low on memory)') === true
        },
        () => failures.map(({ message }) => message),
      )
      for (const { code } of failures) expect(['OUTCOME_UNKNOWN', 'UNAVAILABLE']).toContain(code)
      held.open()
      // The copy cannot be sent, so the message is requeued without counting the release.
      await until('the released message is delivered again', () => runs.length > new Set(runs.map(({ message }) => message.taskId)).size)
    } finally {
      // Also after a failure: the client waits for its handlers when it closes.
      held.open()
      await broker.ctl('set_vm_memory_high_watermark', '0.4')
    }
    await until('sends work again', () =>
      client.messaging.queue.send('default', newMessage()).then(
        () => true,
        () => false,
      ),
    )
    expect(client.logged.filter(({ message }) => message.startsWith('blocked by the broker'))).toHaveLength(1)
  })

  test('a consumer timeout of the broker ends no run and lets no slot run two messages; an accepted message is not delivered again', async () => {
    await using client = await TestClient.open(broker.endpoint.url)
    await broker.ctl(
      'eval',
      'application:set_env(rabbit, consumer_timeout, 1500), application:set_env(rabbit, channel_tick_interval, 500).',
    )
    try {
      const runs: Delivery[] = []
      let running = 0
      let most = 0
      const held = gate()
      const handler = async (delivery: Delivery): Promise<void> => {
        runs.push(delivery)
        most = Math.max(most, ++running)
        // The first run accepts as a worker does, the second never settles.
        if (runs.length !== 2) await delivery.accept()
        if (runs.length <= 2) await held.opened
        running--
      }
      const messages: WorkMessage[] = [newMessage(), newMessage(), newMessage()]
      await client.messaging.queue.consume('default', handler, { slots: 2, mode: 'parallel' })
      const other = await client.another()
      const taken: string[] = []
      for (const message of messages) await client.messaging.queue.send('default', message)
      await until('both slots run', () => runs.length === 2)
      await other.queue.consume('default', acceptInto(taken), { slots: 1, mode: 'parallel' })
      await until(
        'the other consumer gets the waiting message and the unsettled one',
        () => taken.length === 2,
        () => taken,
      )
      expect(running).toBe(2)
      held.open()
      const last = newMessage()
      await until('the slots take messages again', async () => {
        await client.messaging.queue.send('default', last)
        return runs.length > 2
      })
      expect(most).toBe(2)
      expect(taken).not.toContain(runs[0]?.message.taskId)
      // The log says what it was, and not that somebody should delete a queue.
      const lines = client.logged.map(({ message, fields }) => `${message}: ${'err' in fields ? String(fields.err) : ''}`)
      expect(lines.filter((line) => /consumer timeout/.test(line))).not.toEqual([])
      expect(lines.filter((line) => /delete it|other arguments/.test(line))).toEqual([])
    } finally {
      await broker.ctl(
        'eval',
        'application:set_env(rabbit, consumer_timeout, 1800000), application:set_env(rabbit, channel_tick_interval, 60000).',
      )
    }
  })

  test('a message that is lost with its consumers too often is dead-lettered', async () => {
    await using client = await TestClient.open(broker.endpoint.url, { deliveryLimit: 2 })
    let runs = 0
    const held = gate()
    const handler = async (): Promise<void> => {
      runs++
      await held.opened
    }
    await client.messaging.queue.consume('default', handler, { slots: 5, mode: 'parallel' })
    await client.messaging.queue.send('default', newMessage())
    for (let lost = 1; lost <= 3; lost++) {
      await until('the message is delivered', () => runs === lost)
      await client.proxy.faults.cut()
    }
    await until('the message is among the dead letters', async () => (await client.broker.count(client.dead('default'))) === 1)
    held.open()
  })

  test('a message above a limit of the broker is TOO_LARGE, and other messages are sent', async () => {
    // A broker of its own: RabbitMQ 4 reads the limit only when it starts.
    const limited = await startRabbitmq({ name: 'limited', say: () => {}, config: { max_message_size: 50_000 } })
    try {
      await using client = await TestClient.open(limited.endpoint.url)
      const huge = largeMessage(60_000)
      expect((await failureOf(client.messaging.queue.send('default', huge))).code).toBe('TOO_LARGE')
      expect((await failureOf(client.messaging.queue.send('default', huge))).code).toBe('TOO_LARGE')
      await client.messaging.queue.send('default', newMessage())
    } finally {
      await limited.stop()
    }
  })

  test('users and passwords in any alphabet are accepted, as they are and percent-encoded', async () => {
    await broker.ctl('add_user', 'pä', 'grüße/50%')
    await broker.ctl('set_permissions', 'pä', '.*', '.*', '.*')
    const host = broker.endpoint.url.split('@')[1] ?? ''
    for (const user of ['pä:grüße%2F50%', `${encodeURIComponent('pä')}:${encodeURIComponent('grüße/50%')}`]) {
      await using client = await TestClient.open(`amqp://${user}@${host}`)
      await client.messaging.queue.send('default', newMessage())
    }
  })

  describe('the rights of the user', { concurrent: false }, () => {
    /** The rights that the guide names, for the prefix `p`: what the user may configure, write and read. */
    const least = {
      configure: '^p\\..*|^amq\\.gen.*',
      write: '^p\\..*|^amq\\.gen.*|^amq\\.default$',
      read: '^p\\..*|^amq\\.gen.*',
    }
    const grant = async ({ configure, write, read }: typeof least): Promise<string> => {
      await broker.ctl('set_permissions', 'narrow', configure, write, read)
      return broker.endpoint.url.replace('guest:guest', 'narrow:secret')
    }
    const opening = (url: string, prefix: string): Promise<Error & { readonly code?: string }> =>
      failureOf(rabbitmqMessaging({ url, prefix, logger: silentLogger, ...quickly }))

    beforeAll(() => broker.ctl('add_user', 'narrow', 'secret'))

    afterAll(async () => (await Broker.connect(broker.endpoint.url)).close([], 'p.events'))

    test('none for the vhost: the error of opening says so', async () => {
      const error = await opening(broker.endpoint.url.replace('guest:guest', 'narrow:secret'), 'p')
      expect([error.code, error.message]).toEqual([
        'MISCONFIGURED',
        expect.stringContaining('the user "narrow" has no permission to use it (rabbitmqctl set_permissions)'),
      ])
    })

    test('those of the guide suffice for every kind of queue, and for no other prefix', async () => {
      const url = await grant(least)
      await using client = await TestClient.open(url, { prefix: 'p' })
      const [taken, heard]: [string[], number[]] = [[], []]
      const handler = async (delivery: Delivery): Promise<void> => {
        if (delivery.releases === 0) return delivery.release({ delayMs: 10 })
        await (delivery.message.version === 2 ? delivery.reject('not wanted') : acceptInto(taken)(delivery))
      }
      await client.messaging.queue.consume('many', handler, { slots: 2, mode: 'parallel' })
      await client.messaging.queue.consume('one', acceptInto(taken), { slots: 1, mode: 'serial' })
      client.messaging.bus.subscribe(({ version }) => heard.push(version))
      await client.messaging.queue.send('many', newMessage())
      await client.messaging.queue.send('many', { ...newMessage(), version: 2 })
      await client.messaging.queue.send('one', newMessage())
      await client.messaging.bus.publish([
        { taskId: newMessage().taskId, version: 7, type: 'TaskStarted', status: 'inProgress', node: 'n' },
      ])
      await until('the messages and the notice arrive', () => taken.length === 2 && heard.includes(7))
      await until('a message is among the dead letters', async () => (await client.broker.count(client.dead('many'))) === 1)
      expect(await client.messaging.queue.depth('many')).toBe(0)
      expect((await opening(url, 'q')).message).toMatch(/^the user "narrow" may not configure( or read)? the \w+ "q\./)
    })

    test.for<[missing: string, rights: Partial<typeof least>, words: RegExp]>([
      ['configure the prefix', { configure: '^amq\\.gen.*' }, /may not configure( or read)? the \w+ "p\./],
      ['configure amq.gen', { configure: '^p\\..*' }, /may not configure( or read)? the queue "amq\.gen/],
      ['write the prefix', { write: '^amq\\.gen.*|^amq\\.default$' }, /may not write the exchange "p\.events"/],
      ['write amq.gen', { write: '^p\\..*|^amq\\.default$' }, /may not write the queue "amq\.gen/],
      ['write amq.default', { write: '^p\\..*|^amq\\.gen.*' }, /may not write the exchange "amq\.default"/],
      ['read the prefix', { read: '^amq\\.gen.*' }, /may not (configure or )?read the \w+ "p\./],
      ['read amq.gen', { read: '^p\\..*' }, /may not read the queue "amq\.gen/],
    ])('without the right to %s, opening fails and names that right', async ([, rights, words]) => {
      const error = await opening(await grant({ ...least, ...rights }), 'p')
      expect([error.code, error.message]).toEqual(['MISCONFIGURED', expect.stringMatching(words)])
      expect(error.message).toMatch(/^the user "narrow" .* in the vhost "\/"\. Grant it .*rabbitmqctl set_permissions/)
    })
  })
})
