import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'cassandra-driver'
import { errors } from 'cassandra-driver'
import type { Logger } from '@taskledger/core/ports'
import { consoleLogger, TaskledgerError, within } from '@taskledger/core/ports'
import { makeClient } from './client.ts'
import { closeControlConnection, guardControlConnection, guardHosts } from './driver-guard.ts'
import { hostErrorsOf, isRefusal, isUndecided, messageOf } from './driver-errors.ts'
import { watchHosts } from './host-watch.ts'
import type { CassandraConnection, CassandraKeyspace } from './options.ts'

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
 * @throws `MISCONFIGURED` if the cluster refuses the credentials or has no such data centre; `UNAVAILABLE` if it could
 * not be reached in time.
 */
export const connect = async (options: ConnectOptions): Promise<Connection> => {
  const { connectTimeoutMs = defaultConnectTimeoutMs, requestTimeoutMs = defaultRequestTimeoutMs, logger = consoleLogger } = options
  const until = performance.now() + connectTimeoutMs
  let lastFailure: string | undefined
  for (;;) {
    const leftMs = until - performance.now()
    const client = 'client' in options ? options.client : guarded(makeClient(options, { connectTimeoutMs, requestTimeoutMs }), logger)
    const connecting = client.connect()
    const failure = await failureOf(connecting, leftMs)
    if (failure === undefined) {
      if (lastFailure !== undefined) logger.info({}, 'connected to Cassandra after retries')
      const watch = watchHosts(client, logger)
      return {
        client,
        hostsDown: () => watch.hostsDown(),
        close: async () => {
          watch.stop()
          if (!('client' in options)) await client.shutdown()
        },
      }
    }
    if (!('client' in options)) shutDownLater(client, connecting)
    const refusal = refusalOf(failure, options)
    if (refusal !== undefined) throw refusal
    // The log gets one line for each new reason, not one for each retry.
    const reason = messageOf(failure)
    if (reason !== lastFailure) logger.warn({ err: failure }, 'failed to reach Cassandra: retrying')
    lastFailure = reason
    if (performance.now() + retryPauseMs >= until) throw unreachable(options, connectTimeoutMs, failure)
    await sleep(retryPauseMs)
  }
}

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

/** The error of a failure that no retry will cure; undefined for any other. */
const refusalOf = (failure: unknown, options: ConnectOptions): TaskledgerError | undefined => {
  const causes = failure instanceof errors.NoHostAvailableError ? hostErrorsOf(failure) : [failure]
  const misconfigured = (text: string): TaskledgerError => new TaskledgerError('MISCONFIGURED', text, { cause: failure })
  if (causes.some((error) => (error instanceof errors.AuthenticationError && !isUndecided(error)) || isRefusal(error)))
    return misconfigured(`Cassandra refused to authenticate this client (${messageOf(failure)}): check \`credentials\``)
  if (causes.some((error) => error instanceof errors.ArgumentError && /data ?cent/i.test(error.message)))
    return misconfigured(
      `Cassandra has no data centre "${'localDataCenter' in options ? options.localDataCenter : ''}" (${messageOf(failure)}): ` +
        'check `localDataCenter`',
    )
  return undefined
}

const unreachable = (options: ConnectOptions, connectTimeoutMs: number, failure: unknown): TaskledgerError => {
  const where = 'contactPoints' in options ? options.contactPoints.join(', ') : 'the given client'
  return new TaskledgerError(
    'UNAVAILABLE',
    `cannot reach Cassandra at ${where} within ${connectTimeoutMs} ms (${messageOf(failure)}): ` +
      'check that it runs, that `contactPoints` has its address and port, and that no firewall blocks it',
    { cause: failure },
  )
}
