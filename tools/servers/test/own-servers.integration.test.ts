import { existsSync } from 'node:fs'
import { connect } from 'amqplib'
import { Client } from 'cassandra-driver'
import { expect, inject, test } from 'vitest'
import { createVhost, findCassandra, findRabbitmq, freshKeyspaceName, startCassandra, startRabbitmq } from '../src/index.ts'
import type { CassandraEndpoint } from '../src/index.ts'

const silent = (): void => {}

/** Sends nothing, and tells whether the process is there. */
const isRunning = (pid: number): boolean => existsSync(`/proc/${pid}`)

const clientOf = ({ contactPoints, localDataCenter }: CassandraEndpoint): Client =>
  new Client({ contactPoints: [...contactPoints], localDataCenter })

test('the shared servers say which they are', () => {
  const { cassandra, amqp } = inject('servers')
  expect(cassandra.version).toMatch(/^\d+\.\d+/)
  expect(amqp.version).toMatch(/^\d+\.\d+/)
})

test('what a test starts finds the shared servers', async () => {
  const { cassandra, amqp } = inject('servers')
  await expect(findCassandra({ say: silent })).resolves.toMatchObject({ origin: 'environment', endpoint: cassandra })
  await expect(findRabbitmq({ say: silent })).resolves.toMatchObject({ origin: 'environment', endpoint: amqp })
})

test('a Cassandra keeps what it acknowledged through a SIGKILL, and is gone when it is stopped', { timeout: 300_000 }, async () => {
  const server = await startCassandra({ say: silent, name: 'survives' })
  try {
    const keyspace = freshKeyspaceName()
    const before = clientOf(server.endpoint)
    await before.execute(`CREATE KEYSPACE ${keyspace} WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`)
    await before.execute(`CREATE TABLE ${keyspace}.noted (id int PRIMARY KEY, text text)`)
    await before.execute(`INSERT INTO ${keyspace}.noted (id, text) VALUES (1, 'kept')`)
    const { pid } = server
    await server.kill()
    await before.shutdown()
    expect(isRunning(pid)).toBe(false)
    expect(() => server.pid).toThrow('not running')

    await server.start()
    const after = clientOf(server.endpoint)
    const { rows } = await after.execute(`SELECT text FROM ${keyspace}.noted WHERE id = 1`)
    await after.shutdown()
    expect(rows.map((row) => String(row['text']))).toEqual(['kept'])
  } finally {
    await server.stop()
  }
  expect(() => server.pid).toThrow('not running')
  await expect(server.stop()).resolves.toBeUndefined()
})

test('a RabbitMQ keeps a durable message through a SIGKILL, and is gone when it is stopped', { timeout: 300_000 }, async () => {
  const broker = await startRabbitmq({ say: silent, name: 'survives' })
  try {
    const { url } = await createVhost(broker, 'orders/1')
    const before = await connect(url)
    before.on('error', silent)
    const sending = await before.createConfirmChannel()
    await sending.assertQueue('letters', { durable: true, arguments: { 'x-queue-type': 'quorum' } })
    sending.sendToQueue('letters', Buffer.from('kept'), { persistent: true })
    await sending.waitForConfirms()
    await broker.flush()
    const { pid } = broker
    const closed = new Promise((resolve) => before.once('close', resolve))
    await broker.kill()
    await closed
    expect(isRunning(pid)).toBe(false)

    await broker.start()
    const after = await connect(url)
    const receiving = await after.createChannel()
    after.on('error', silent)
    const letter = await receiving.get('letters', { noAck: true })
    expect(letter === false ? 'no message' : letter.content.toString()).toBe('kept')
    await after.close()
  } finally {
    await broker.stop()
  }
  expect(() => broker.pid).toThrow('not running')
  await expect(connect(broker.endpoint.url)).rejects.toThrow(/ECONNREFUSED|^$/)
})
