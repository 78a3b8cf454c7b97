import { Client, policies } from 'cassandra-driver'
import type { CassandraAddress } from './options.ts'

export interface ClientSettings {
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
}

/** A client of our own, with everything said that the driver would choose otherwise. */
export const makeClient = (address: CassandraAddress, { connectTimeoutMs, requestTimeoutMs }: ClientSettings): Client =>
  new Client({
    contactPoints: [...address.contactPoints],
    localDataCenter: address.localDataCenter,
    ...(address.credentials === undefined ? {} : { credentials: address.credentials }),
    ...(address.tls === undefined ? {} : { sslOptions: address.tls }),
    policies: {
      // The driver waits for up to ten minutes otherwise. The first try comes at once: a connection that broke is not a server that is down.
      reconnection: new policies.reconnection.ExponentialReconnectionPolicy(200, 5_000, true),
    },
    // The first only bounds one try; there may be several within `connectTimeoutMs`.
    socketOptions: { connectTimeout: Math.min(5_000, connectTimeoutMs), readTimeout: requestTimeoutMs },
    encoding: { useUndefinedAsUnset: true },
    monitorReporting: { enabled: false },
  })
