import { existsSync } from 'node:fs'
import { connect } from 'amqplib'
import { expect, inject, test } from 'vitest'
import { createVhost, findCassandra, findRabbitmq, startRabbitmq } from '../src/index.ts'

const silent = (): void => {}

test('the shared servers have a version', () => {
  const { cassandra, amqp } = inject('servers')
  expect(cassandra.version).toMatch(/^\d+\.\d+/)
  expect(amqp.version).toMatch(/^\d+\.\d+/)
})

test('a search in a test finds the shared servers', async () => {
  const { cassandra, amqp } = inject('servers')
  await expect(findCassandra({ say: silent })).resolves.toMatchObject({ origin: 'environment', endpoint: cassandra })
  await expect(findRabbitmq({ say: silent })).resolves.toMatchObject({ origin: 'environment', endpoint: amqp })
})

// The tests of the adapters show that it keeps acknowledged messages through a SIGKILL.
test('a RabbitMQ that a test starts has vhosts of any name, and is gone once it is stopped', { timeout: 300_000 }, async () => {
  const broker = await startRabbitmq({ say: silent, name: 'own' })
  const { pid } = broker
  try {
    const { url } = await createVhost(broker, 'orders/1')
    const connection = await connect(url)
    connection.on('error', silent)
    const channel = await connection.createConfirmChannel()
    await channel.assertQueue('letters', { durable: true, arguments: { 'x-queue-type': 'quorum' } })
    channel.sendToQueue('letters', Buffer.from('arrived'), { persistent: true })
    await channel.waitForConfirms()
    const letter = await channel.get('letters', { noAck: true })
    expect(letter === false ? 'no message' : letter.content.toString()).toBe('arrived')
    const closed = new Promise((resolve) => connection.once('close', resolve))
    await broker.stop()
    await closed
  } finally {
    await broker.stop()
  }
  expect(existsSync(`/proc/${pid}`)).toBe(false)
  expect(() => broker.pid).toThrow('not running')
  await expect(connect(broker.endpoint.url)).rejects.toThrow(/ECONNREFUSED|^$/)
})
