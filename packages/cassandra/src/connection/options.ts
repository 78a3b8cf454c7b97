import type { Client } from 'cassandra-driver'
import type { Logger } from '@taskledger/core/ports'

/** How to reach the cluster: an address, or the caller's own client. */
export type CassandraConnection = CassandraAddress | CassandraClient

/** Where the cluster is, and the credentials for it. */
export interface CassandraAddress {
  /** The first hosts to connect to, each `host` or `host:port`. */
  readonly contactPoints: readonly string[]
  /** The data centre that this node works in, as the cluster names it (`nodetool status`). */
  readonly localDataCenter: string
  /** The user, or a function that is called for each new connection, so that a password can be renewed. */
  readonly credentials?: CassandraCredentials | (() => CassandraCredentials | Promise<CassandraCredentials>) | undefined
  /** TLS; `{}` trusts the authorities that Node trusts. Default: no TLS. */
  readonly tls?: CassandraTls | undefined
}

/** The user to log in as. */
export interface CassandraCredentials {
  readonly username: string
  readonly password: string
}

/**
 * The options of Node's `tls.connect`, or a function that is called for each new connection, so that certificates can
 * be renewed. The certificate of each server is checked: a trusted authority has to have issued it, and it has to have
 * the address of the server, or the host of a contact point, or the `servername` if there is one.
 */
export type CassandraTls = object | (() => object | Promise<object>)

/** The caller's own client. */
export interface CassandraClient {
  /** The client. It is used as it is, and not shut down when the storage closes. */
  readonly client: Client
}

/**
 * Which replicas have to agree. `local`: a majority in the local data centre (LOCAL_QUORUM, LOCAL_SERIAL). `global`: a
 * majority of all replicas (QUORUM, SERIAL); every node of the application has to choose the same.
 */
export type ConsistencyProfile = 'local' | 'global'

/** The options that `cassandraStorage` and `migrate` share. */
export interface CassandraKeyspace {
  readonly keyspace: string
  /**
   * Separates applications that share a keyspace: it is part of every partition key. 1 to 40 letters, digits, `_`, `-`
   * and `.`. Default `taskledger`.
   */
  readonly prefix?: string | undefined
  /** Which replicas have to agree. Default `local`. */
  readonly consistency?: ConsistencyProfile | undefined
  /** How long to retry until the cluster is reached, in milliseconds. Default 30,000. */
  readonly connectTimeoutMs?: number | undefined
  /** The logger. Default: the console, with warnings and errors only. */
  readonly logger?: Logger | undefined
}

/** The options of `cassandraStorage`. */
export type CassandraStorageOptions = CassandraConnection &
  CassandraKeyspace & {
    /** How long to wait for an answer, in milliseconds. After that the outcome of a write is unknown. Default 8,000. */
    readonly requestTimeoutMs?: number | undefined
    /** The maximum number of requests in flight; the others wait. Default 256, of which at most 48 conditional. */
    readonly maxInFlight?: { readonly requests?: number | undefined; readonly conditional?: number | undefined } | undefined
    /** When the row of a finished task expires from the lists, in milliseconds after its end. Default: never. */
    readonly finishedRowsTtlMs?: number | undefined
  }

/** The options of `migrate`. */
export type MigrationOptions = CassandraConnection &
  CassandraKeyspace & {
    /**
     * Creates the keyspace with this replication if it does not exist: `{ class: 'NetworkTopologyStrategy', dc1: 3 }`.
     * Default: it has to exist.
     */
    readonly replication?: Readonly<Record<string, string | number>> | undefined
  }
