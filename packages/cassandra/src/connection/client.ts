import { Client, policies } from 'cassandra-driver'
import { RenewedCredentials } from './credentials.ts'
import type { CassandraAddress } from './options.ts'
import type { TlsOptions } from './tls.ts'

export interface ClientSettings {
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly tls: TlsOptions | undefined
}

/** Makes a client, with every setting whose default in the driver does not fit. */
export const makeClient = (
  { contactPoints, localDataCenter, credentials }: CassandraAddress,
  { connectTimeoutMs, requestTimeoutMs, tls }: ClientSettings,
): Client =>
  new Client({
    contactPoints: [...contactPoints],
    localDataCenter,
    ...(typeof credentials === 'function' ? { authProvider: new RenewedCredentials(credentials) } : credentials && { credentials }),
    ...(tls === undefined ? {} : { sslOptions: tls.forDriver() }),
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
