/**
 * Storage on Apache Cassandra: event store, task listing and node registry.
 *
 * @packageDocumentation
 */
import type { Storage } from '@taskledger/core/ports'
import type { CassandraStorageOptions, MigrationOptions } from './options.ts'

export type {
  CassandraAddress,
  CassandraClient,
  CassandraConnection,
  CassandraKeyspace,
  CassandraStorageOptions,
  ConsistencyProfile,
  MigrationOptions,
} from './options.ts'

/** Opens a storage. The schema has to be there: see {@link migrate}. */
export const cassandraStorage = async (_options: CassandraStorageOptions): Promise<Storage> => {
  throw new Error('not there yet')
}

/** Creates the schema, or brings it up to date. Any number of nodes may call it at once. */
export const migrate = async (_options: MigrationOptions): Promise<void> => {
  throw new Error('not there yet')
}
