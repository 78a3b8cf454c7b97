/**
 * Storage on Apache Cassandra: event store, task listing and node registry.
 *
 * @packageDocumentation
 */
import type { TaskStorage } from '@taskledger/core/ports'
import { CassandraEventStore } from './events/cassandra-event-store.ts'
import { CassandraNodeRegistry } from './nodes/cassandra-node-registry.ts'
import type { CassandraStorageOptions } from './connection/options.ts'
import { listBucketSetting } from './schema/steps.ts'
import { settingOf } from './schema/check.ts'
import type { Session } from './connection/session.ts'
import { openSession } from './schema/open-session.ts'
import { CassandraTaskListing } from './listing/cassandra-task-listing.ts'

export { migrate } from './schema/migrate.ts'

export type {
  CassandraAddress,
  CassandraClient,
  CassandraConnection,
  CassandraCredentials,
  CassandraKeyspace,
  CassandraStorageOptions,
  CassandraTls,
  ConsistencyProfile,
  MigrationOptions,
} from './connection/options.ts'

/**
 * Opens a storage. The schema has to exist: see {@link migrate}.
 *
 * While the cluster cannot be reached, it retries for `connectTimeoutMs`, and logs the reason.
 *
 * @throws `MISCONFIGURED` if the cluster refuses the credentials or the data centre, or if the schema is missing or
 * from another release: the message says what to do. `UNAVAILABLE` if the cluster could not be reached in time.
 * `MISUSE` with the name of a wrong or missing option.
 */
export const cassandraStorage = async (options: CassandraStorageOptions): Promise<TaskStorage> => {
  const session = await openSession(options)
  const bucketMs = await bucketWidthOf(session)
  const events = new CassandraEventStore(session)
  const nodes = new CassandraNodeRegistry(session)
  const share = session.share('the task listing')
  const listing = new CassandraTaskListing({ session, share, bucketMs, finishedRowsTtlMs: options.finishedRowsTtlMs ?? 0 })
  return {
    events,
    listing,
    nodes,
    close: async () => void (await Promise.all([events.close(), listing.close(), nodes.close()])),
  }
}

const bucketWidthOf = async (session: Session): Promise<number> => {
  try {
    return Number(await settingOf(session, listBucketSetting))
  } catch (error) {
    await session.close()
    throw error
  }
}
