import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'cassandra-driver'
import { errors } from 'cassandra-driver'
import type { Logger, TaskledgerError } from '@taskledger/core/ports'
import { consoleLogger, hasCode, isMisuse, misconfigured, neverThrowing, tlsRefusalOf, unavailable, within } from '@taskledger/core/ports'
import { makeClient } from './client.ts'
import { closeControlConnection, guardControlConnection, guardHosts, guardSilentConnections } from './driver-guard.ts'
import { hostErrorsByAddress, hostErrorsOf, isRefusal, isUndecided, messageOf } from './driver-errors.ts'
import { watchHosts } from './host-watch.ts'
import type { CassandraAddress, CassandraConnection, CassandraKeyspace } from './options.ts'
import { certificateOf, TlsOptions } from './tls.ts'

/** A connected client. */
export interface Connection {
  readonly client: Client
  /** See {@link watchHosts}. */
  hostsDown(): string
  /** Shuts the client down, unless it is the caller's own. */
  close(): Promise<void>
}

export type ConnectOptions = CassandraConnection &
  Pick<CassandraKeyspace, 'connectTimeoutMs' | 'logger'> & { readonly requestTimeoutMs?: number | undefined }

export const defaultConnectTimeoutMs = 30_000
const defaultRequestTimeoutMs = 8_000
const retryPauseMs = 500

/**
 * Connects to the cluster. While the cluster cannot be reached, it retries until `connectTimeoutMs` have passed.
 *
 * @throws `MISCONFIGURED` if the cluster refuses the credentials, if TLS with it fails, or if it has no such data centre;
 * `UNAVAILABLE` if it could not be reached in time.
 */
export const connect = async (options: ConnectOptions): Promise<Connection> => {
  const { connectTimeoutMs = defaultConnectTimeoutMs, requestTimeoutMs = defaultRequestTimeoutMs } = options
  const logger = neverThrowing(options.logger ?? consoleLogger)
  const { client: ownClient } = options as { readonly client?: Client | undefined }
  const tls = tlsOptionsOf(options as CassandraAddress, logger)
  const newClient = (): Client => guarded(makeClient(options as CassandraAddress, { connectTimeoutMs, requestTimeoutMs, tls }), logger)
  const until = performance.now() + connectTimeoutMs
  let lastFailure: string | undefined
  for (;;) {
    const leftMs = until - performance.now()
    const client = ownClient ?? newClient()
    const connecting = (tls?.renew() ?? Promise.resolve()).then(() => client.connect())
    const failure = await failureOf(connecting, leftMs)
    if (failure === undefined) {
      if (lastFailure !== undefined) logger.info({}, 'connected to Cassandra after retries')
      if (ownClient === undefined) guardSilentConnections(client)
      const watch = watchHosts(client, logger)
      return {
        client,
        hostsDown: () => watch.hostsDown(),
        close: async () => {
          watch.stop()
          if (ownClient === undefined) await client.shutdown()
        },
      }
    }
    if (ownClient === undefined) shutDownLater(client, connecting)
    const refusal = (await tlsFailureOf(failure)) ?? refusalOf(failure, options)
    if (refusal !== undefined) throw refusal
    // The log gets one line for each new reason, not one for each retry.
    const reason = messageOf(failure)
    if (reason !== lastFailure) logger.warn({ err: failure }, 'failed to reach Cassandra: retrying')
    lastFailure = reason
    if (performance.now() + retryPauseMs >= until) throw unreachable(options, connectTimeoutMs, failure)
    await sleep(retryPauseMs)
  }
}

const tlsOptionsOf = ({ tls, contactPoints }: CassandraAddress, logger: Logger): TlsOptions | undefined =>
  tls === undefined ? undefined : new TlsOptions({ given: tls, contactPoints, logger })

const guarded = (client: Client, logger: Logger): Client => {
  guardControlConnection(client, logger)
  guardHosts(client)
  return client
}

/** Bounds the connecting: the driver would wait for ever for a server that accepts connections and never answers. */
const failureOf = (connecting: Promise<void>, timeoutMs: number): Promise<unknown> =>
  within(
    connecting.then(
      () => undefined,
      (error: unknown) => error,
    ),
    { timeoutMs, onTimeout: () => new Error('the server accepts connections and does not answer') },
  )

/** Shuts down a client that was given up, once its connecting has succeeded or failed. */
const shutDownLater = (client: Client, connecting: Promise<void>): void => {
  const shutDown = async (): Promise<void> => {
    await client.shutdown()
    closeControlConnection(client)
  }
  connecting.then(shutDown, shutDown).catch(() => {})
}

/** The error if TLS with a host fails for a reason that no retry will cure; it describes the certificate of the host. */
const tlsFailureOf = async (failure: unknown): Promise<TaskledgerError | undefined> => {
  for (const [address, cause] of failure instanceof errors.NoHostAvailableError ? hostErrorsByAddress(failure) : []) {
    if (tlsRefusalOf(cause, { address, option: 'tls' }) === undefined) continue
    const text = tlsRefusalOf(cause, { address, option: 'tls', certificate: await certificateOf(address) })
    return misconfigured(text ?? messageOf(cause), failure)
  }
  return undefined
}

/** The error of a failure that no retry will cure; undefined for any other. */
const refusalOf = (failure: unknown, options: ConnectOptions): TaskledgerError | undefined => {
  const causes = failure instanceof errors.NoHostAvailableError ? hostErrorsOf(failure) : [failure]
  // What the caller's functions returned cannot be used.
  const unusable = causes.find((error) => hasCode(error, 'MISCONFIGURED'))
  if (isMisuse(failure) || unusable !== undefined) return misconfigured(messageOf(unusable ?? failure), failure)
  if (causes.some((error) => (error instanceof errors.AuthenticationError && !isUndecided(error)) || isRefusal(error)))
    return misconfigured(`Cassandra refused to authenticate this client (${messageOf(failure)}): check \`credentials\``, failure)
  if (causes.some((error) => error instanceof errors.ArgumentError && /data ?cent/i.test(error.message)))
    return misconfigured(
      `Cassandra has no data centre "${'localDataCenter' in options ? options.localDataCenter : ''}" (${messageOf(failure)}): ` +
        'check `localDataCenter`',
      failure,
    )
  return undefined
}

const unreachable = (options: ConnectOptions, connectTimeoutMs: number, failure: unknown): TaskledgerError => {
  const { contactPoints } = options as Partial<CassandraAddress>
  const where = contactPoints?.join(', ') ?? 'the given client'
  return unavailable(
    `cannot reach Cassandra at ${where} within ${connectTimeoutMs} ms (${messageOf(failure)}): ` +
      'check that it runs, that `contactPoints` has its address and port, and that no firewall blocks it',
    failure,
  )
}
