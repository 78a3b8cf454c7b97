import { within } from '@taskledger/core/ports'
import { Client, policies } from 'cassandra-driver'
import { bounded } from '../errors.ts'
import type { CassandraEndpoint } from './endpoint.ts'

/** Where a Cassandra may be. The server names its data centre where none is given. */
export type CassandraCandidate = Pick<CassandraEndpoint, 'contactPoints' | 'credentials'> & { readonly localDataCenter?: string }

/** Whether a Cassandra answers a SELECT there: an open port proves little. Rejects with the reason where it does not. */
export const probeCassandra = async (candidate: CassandraCandidate, timeoutMs: number): Promise<CassandraEndpoint> => {
  const client = new Client({
    contactPoints: [...candidate.contactPoints],
    // Any other policy needs the name of the data centre, which is what this query asks for.
    policies: { loadBalancing: new policies.loadBalancing.RoundRobinPolicy() },
    pooling: { coreConnectionsPerHost: { '0': 1, '1': 1, '2': 1 } },
    socketOptions: { connectTimeout: timeoutMs, readTimeout: timeoutMs },
    ...(candidate.credentials === undefined ? {} : { credentials: candidate.credentials }),
  })
  const query = async (): Promise<CassandraEndpoint> => {
    await client.connect()
    const row = (await client.execute('SELECT release_version, data_center FROM system.local')).first()
    const dataCenters = new Set(client.hosts.values().map((host) => host.datacenter))
    const localDataCenter = candidate.localDataCenter ?? String(row.get('data_center'))
    if (!dataCenters.has(localDataCenter)) {
      throw new Error(`it has the data centre ${[...dataCenters].join(', ')}, not ${localDataCenter}`)
    }
    return { ...candidate, localDataCenter, version: String(row.get('release_version')) }
  }
  try {
    return await within(query(), bounded(`asking ${candidate.contactPoints.join(', ')}`, timeoutMs))
  } finally {
    await client.shutdown()
  }
}
