import type { Client } from 'cassandra-driver'
import type { Logger } from '@taskledger/core/ports'

/** How the cluster is reached: what to connect to, or a client of the caller's own. */
export type CassandraConnection = CassandraAddress | CassandraClient

/** Where the cluster is, and as whom to enter it. */
export interface CassandraAddress {
  /** Hosts to begin with, each `host` or `host:port`. */
  readonly contactPoints: readonly string[]
  /** The data centre that this node works in, as the cluster names it (`nodetool status`). */
  readonly localDataCenter: string
  readonly credentials?: { readonly username: string; readonly password: string }
  /** TLS, as Node's `tls.connect` takes it. Default: none. */
  readonly tls?: object
}

/** The caller's own way to the cluster. */
export interface CassandraClient {
  /** A client of the caller's own. It is used as it is and never shut down here. */
  readonly client: Client
}

/**
 * Which replicas have to agree. `local`: a majority of the local data centre (LOCAL_QUORUM, LOCAL_SERIAL). `global`: a
 * majority of all of them (QUORUM, SERIAL); every node of the application has to choose it.
 */
export type ConsistencyProfile = 'local' | 'global'

/** What every use of the keyspace says. */
export interface CassandraKeyspace {
  readonly keyspace: string
  /**
   * Keeps applications on one keyspace apart: part of every partition key. 1 to 40 letters, digits, `_`, `-` and `.`. Default
   * `taskledger`.
   */
  readonly prefix?: string
  /** Default `local`. */
  readonly consistency?: ConsistencyProfile
  /** How long to try to reach the cluster before giving up, in milliseconds. Default 30,000. */
  readonly connectTimeoutMs?: number
  /** Default: warnings and errors go to the console. */
  readonly logger?: Logger
}

/** How a storage on Cassandra is opened. */
export type CassandraStorageOptions = CassandraConnection &
  CassandraKeyspace & {
    /** How long one request may take before its outcome counts as unknown, in milliseconds. Default 8,000. */
    readonly requestTimeoutMs?: number
    /** How many requests may be under way at a time; more wait in line. Default 256, of which 48 conditional. */
    readonly maxInFlight?: { readonly requests?: number; readonly conditional?: number }
    /** After how long the row of a finished task leaves the lists by itself, in milliseconds. Default: never. */
    readonly finishedRowsTtlMs?: number
  }

/** How a schema is made. */
export type MigrationOptions = CassandraConnection &
  CassandraKeyspace & {
    /** Creates the keyspace where it is missing, with this replication: `{ class: 'NetworkTopologyStrategy', dc1: 3 }`. Default: it has to be there. */
    readonly replication?: Readonly<Record<string, string | number>>
  }
