import { Client, policies } from 'cassandra-driver'
import type { CassandraAddress } from './options.ts'

export interface ClientSettings {
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
}

/** Makes a client, with every setting whose default in the driver does not fit. */
export const makeClient = (address: CassandraAddress, { connectTimeoutMs, requestTimeoutMs }: ClientSettings): Client =>
  new Client({
    contactPoints: [...address.contactPoints],
    localDataCenter: address.localDataCenter,
    ...(address.credentials === undefined ? {} : { credentials: address.credentials }),
    ...(address.tls === undefined ? {} : { sslOptions: address.tls }),
    policies: {
      // The driver's default waits up to ten minutes. The first retry is immediate: a broken connection does not mean
      // that the server is down.
      reconnection: new policies.reconnection.ExponentialReconnectionPolicy(200, 5_000, true),
    },
    // `connectTimeout` limits one try; there may be several within `connectTimeoutMs`.
    socketOptions: { connectTimeout: Math.min(5_000, connectTimeoutMs), readTimeout: requestTimeoutMs },
    encoding: { useUndefinedAsUnset: true },
    monitorReporting: { enabled: false },
  })
