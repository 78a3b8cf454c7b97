import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client } from 'cassandra-driver'
import { expect, test } from 'vitest'
import { actualCapabilities, statedCapabilities } from '../../../tools/readme-capabilities.ts'
import { CassandraNodeRegistry } from '../src/nodes/cassandra-node-registry.ts'
import { Session } from '../src/connection/session.ts'
import { CassandraEventStore } from '../src/events/cassandra-event-store.ts'
import { listingOn } from './listing/samples.ts'

test('the README states the capabilities of the ports', async () => {
  const readme = await readFile(join(import.meta.dirname, '../README.md'), 'utf8')
  const connection = { client: {} as Client, hostsDown: () => '', close: async () => {} }
  const session = new Session(connection, { keyspace: 'taskledger' })
  const ports = [new CassandraEventStore(session), listingOn(session), new CassandraNodeRegistry(session)]
  expect(statedCapabilities(readme)).toEqual(actualCapabilities(ports))
})
