import { Client, policies } from 'cassandra-driver'
import type { CassandraEndpoint } from './types.ts'
import { within } from './within.ts'

/** Where a Cassandra may be. The data centre is asked for where it is not given. */
export type CassandraCandidate = Pick<CassandraEndpoint, 'contactPoints' | 'credentials'> & { readonly localDataCenter?: string }

/** Whether a Cassandra answers there: a real SELECT, since an open port says little. Rejects with the reason where it does not. */
export const askCassandra = async (candidate: CassandraCandidate, timeoutMs: number): Promise<CassandraEndpoint> => {
  const client = new Client({
    contactPoints: [...candidate.contactPoints],
    // Any other policy wants to know the data centre, which is what is asked here.
    policies: { loadBalancing: new policies.loadBalancing.RoundRobinPolicy() },
    pooling: { coreConnectionsPerHost: { '0': 1, '1': 1, '2': 1 } },
    socketOptions: { connectTimeout: timeoutMs, readTimeout: timeoutMs },
    ...(candidate.credentials === undefined ? {} : { credentials: candidate.credentials }),
  })
  try {
    const ask = async (): Promise<CassandraEndpoint> => {
      await client.connect()
      const result = await client.execute('SELECT release_version, data_center FROM system.local')
      const row = result.first()
      const dataCenters = new Set(client.hosts.values().map((host) => host.datacenter))
      const localDataCenter = candidate.localDataCenter ?? String(row.get('data_center'))
      if (!dataCenters.has(localDataCenter)) {
        throw new Error(`it has the data centre ${[...dataCenters].join(', ')}, not ${localDataCenter}`)
      }
      return { ...candidate, localDataCenter, version: String(row.get('release_version')) }
    }
    return await within(timeoutMs, `asking ${candidate.contactPoints.join(', ')}`, ask())
  } finally {
    await client.shutdown()
  }
}
