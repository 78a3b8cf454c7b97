import { Client } from 'cassandra-driver'
import type { EngineSettings } from './engines.ts'

/** The timeout of a request that drops many tables, in milliseconds. */
const dropMs = 60_000

/** Drops the keyspace of a run, with all of its tasks. */
export const clearCassandra = async ({ cassandra, keyspace }: EngineSettings): Promise<void> => {
  const { contactPoints, localDataCenter, credentials } = cassandra
  const client = new Client({
    contactPoints: [...contactPoints],
    localDataCenter,
    ...(credentials === undefined ? {} : { credentials }),
    socketOptions: { readTimeout: dropMs },
  })
  try {
    await client.execute(`DROP KEYSPACE IF EXISTS ${keyspace}`)
  } finally {
    await client.shutdown()
  }
}
