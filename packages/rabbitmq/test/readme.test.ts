import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { actualCapabilities, statedCapabilities } from '../../../tools/readme-capabilities.ts'
import { RabbitmqEventBus } from '../src/bus/event-bus.ts'
import { BrokerConnection } from '../src/connection/broker-connection.ts'
import { settingsOf } from '../src/connection/settings.ts'
import { RabbitmqWorkQueue } from '../src/queue/work-queue.ts'
import { BrokerQueues } from '../src/topology/broker-queues.ts'

test('the README states the capabilities of the ports', async () => {
  const readme = await readFile(join(import.meta.dirname, '../README.md'), 'utf8')
  // Not started: nothing connects.
  const settings = settingsOf({ url: 'amqp://localhost' })
  const connection = new BrokerConnection('none', settings)
  const parts = { publishing: connection, consuming: connection, settings, release: async () => {} }
  const queue = new RabbitmqWorkQueue({ ...parts, brokerQueues: new BrokerQueues(settings) })
  const bus = new RabbitmqEventBus({ ...parts, exchange: 'events' })
  expect(statedCapabilities(readme)).toEqual(actualCapabilities([queue, bus]))
})
