import { Client, policies } from 'cassandra-driver'
import type { AmqpEndpoint, CassandraEndpoint } from '@taskledger/servers'

/** The servers of a run. */
export interface Engines {
  readonly cassandra: CassandraEndpoint
  readonly amqp: AmqpEndpoint
  /** Created for the run, and dropped with it. */
  readonly keyspace: string
}

/** A bare client; in the keyspace of the run unless told otherwise. */
export const clientOf = ({ cassandra: { contactPoints, localDataCenter, credentials }, keyspace }: Engines, isAnywhere = false): Client =>
  new Client({
    contactPoints: [...contactPoints],
    localDataCenter,
    ...(isAnywhere ? {} : { keyspace }),
    ...(credentials === undefined ? {} : { credentials }),
    policies: { reconnection: new policies.reconnection.ExponentialReconnectionPolicy(200, 5_000) },
  })

/** How a server is set in what decides its speed. */
export interface CassandraSettings {
  /** `batch`: an acknowledged write is on disk; `periodic`: within ten seconds. */
  readonly commitlogSync: string
  readonly paxosVariant: string
}

/** What the server itself says. */
export const settingsOf = async (engines: Engines): Promise<CassandraSettings> => {
  const client = clientOf(engines, true)
  try {
    const { rows } = await client.execute("SELECT name, value FROM system_views.settings WHERE name IN ('commitlog_sync', 'paxos_variant')")
    const values = new Map(rows.map((row) => [String(row['name']), String(row['value'])]))
    return { commitlogSync: values.get('commitlog_sync') ?? 'unknown', paxosVariant: values.get('paxos_variant') ?? 'unknown' }
  } finally {
    await client.shutdown()
  }
}
