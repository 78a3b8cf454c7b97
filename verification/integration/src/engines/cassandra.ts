import process from 'node:process'
import { Client } from 'cassandra-driver'
import { cassandraStorage, migrate } from '@taskledger/cassandra'
import type { TaskStorage, TaskId } from '@taskledger/core/ports'
import { cohortOf, silentLogger } from '@taskledger/core/ports'
import type { CassandraEndpoint } from '@taskledger/servers'
import { findCassandra, freshKeyspaceName, startCassandra } from '@taskledger/servers'
import type { Harness } from '@taskledger/test-kit'
import { eventStoreContract, nodeRegistryContract, taskListingContract } from '@taskledger/test-kit'
import { eventStoreHarness, nodeRegistryHarness, openKeyspace } from '../../../../packages/cassandra/test/cassandra.harness.ts'
import { listingHarness } from '../../../../packages/cassandra/test/listing/listing.harness.ts'
import type { Side, TestedEngine } from './engine.ts'
import { harnessOn, portReport } from './engine.ts'

export interface CassandraSide extends Side<TaskStorage> {
  readonly keyspace: string
}

/** A fresh keyspace, in which each rule has a prefix. */
export const cassandraSide = ({ version, ...endpoint }: CassandraEndpoint): CassandraSide => {
  const keyspace = freshKeyspaceName()
  // Writes rows that no codec wrote, and drops the keyspace.
  const client = new Client({ ...endpoint, contactPoints: [...endpoint.contactPoints], socketOptions: { readTimeout: 30_000 } })
  return {
    name: `cassandra ${version}`,
    keyspace,
    start: () => migrate({ ...endpoint, keyspace, logger: silentLogger, replication: { class: 'SimpleStrategy', replication_factor: 1 } }),
    open: (prefix) => ({
      client: () => cassandraStorage({ ...endpoint, keyspace, prefix, logger: silentLogger }),
      inject: async (bytes, _kind, taskId) => {
        const key = [prefix, cohortOf(taskId as TaskId), taskId]
        const where = 'prefix = ? AND cohort = ? AND task_id = ?'
        const { rows } = await client.execute(`SELECT max(version) AS version FROM ${keyspace}.task_event WHERE ${where}`, key, {
          prepare: true,
        })
        const version = Number(rows[0]?.['version'] ?? 0) + 1
        const insert = `INSERT INTO ${keyspace}.task_event (prefix, cohort, task_id, version, event_id, event) VALUES (?, ?, ?, ?, ?, ?)`
        await client.execute(insert, [...key, version, 'injected', new TextDecoder().decode(bytes)], { prepare: true })
      },
      inspect: () => `keyspace ${keyspace}, prefix ${prefix}`,
      // The rows go with the keyspace.
      dispose: async () => {},
    }),
    stop: async () => {
      try {
        await client.execute(`DROP KEYSPACE IF EXISTS ${keyspace}`)
      } finally {
        await client.shutdown()
      }
    },
  }
}

export const cassandra: TestedEngine = {
  open: async (say) => {
    const { CASSANDRA_CONTACT_POINTS, CASSANDRA_VERSION: version } = process.env
    const server =
      CASSANDRA_CONTACT_POINTS === undefined
        ? await startCassandra({ say, name: 'compatibility', isShortLived: true, ...(version === undefined ? {} : { version }) })
        : await findCassandra({ say })
    const keyspace = await openKeyspace(server.endpoint)
    const on = <Port>(harness: Harness<Port>): Harness<Port> => harnessOn(server, harness, { name: `cassandra ${server.endpoint.version}` })
    return {
      ports: [
        portReport(eventStoreContract(on(eventStoreHarness(() => keyspace)))),
        portReport(taskListingContract(on(listingHarness(() => keyspace)))),
        portReport(nodeRegistryContract(on(nodeRegistryHarness(() => keyspace)))),
      ],
      storage: cassandraSide(server.endpoint),
      close: async () => {
        await keyspace[Symbol.asyncDispose]()
        await server.stop()
      },
    }
  },
}
