import { Client, policies } from 'cassandra-driver'
import type { AmqpEndpoint, CassandraEndpoint } from '@taskledger/servers'

/** The addresses of the servers of a run. */
export interface Endpoints {
  readonly cassandra: CassandraEndpoint
  readonly amqp: AmqpEndpoint
  /** Created for the run, and dropped at its end. */
  readonly keyspace: string
}

/** A client of the driver, in the keyspace of the run. */
export const clientOf = (
  { cassandra: { contactPoints, localDataCenter, credentials }, keyspace }: Endpoints,
  { isWithoutKeyspace = false } = {},
): Client =>
  new Client({
    contactPoints: [...contactPoints],
    localDataCenter,
    ...(isWithoutKeyspace ? {} : { keyspace }),
    ...(credentials === undefined ? {} : { credentials }),
    policies: { reconnection: new policies.reconnection.ExponentialReconnectionPolicy(200, 5_000) },
  })

/** The settings of a Cassandra that decide its speed. */
export interface CassandraSettings {
  /** `batch`: an acknowledged write is on disk; `periodic`: within ten seconds. */
  readonly commitlogSync: string
  readonly paxosVariant: string
}

/** Asks the server for its settings. */
export const settingsOf = async (endpoints: Endpoints): Promise<CassandraSettings> => {
  const client = clientOf(endpoints, { isWithoutKeyspace: true })
  try {
    const { rows } = await client.execute("SELECT name, value FROM system_views.settings WHERE name IN ('commitlog_sync', 'paxos_variant')")
    const values = new Map(rows.map((row) => [String(row['name']), String(row['value'])]))
    return { commitlogSync: values.get('commitlog_sync') ?? 'unknown', paxosVariant: values.get('paxos_variant') ?? 'unknown' }
  } finally {
    await client.shutdown()
  }
}
