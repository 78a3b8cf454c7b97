import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'cassandra-driver'
import { errors } from 'cassandra-driver'
import type { Logger } from '@taskledger/core/ports'
import { consoleLogger, TaskledgerError } from '@taskledger/core/ports'
import { makeClient } from './client.ts'
import { closeControlConnection, guardControlConnection, guardHosts } from './driver-guard.ts'
import { hostErrorsOf, isRefusal, isUndecided, messageOf } from './driver-errors.ts'
import { watchHosts } from './host-watch.ts'
import type { CassandraConnection, CassandraKeyspace } from './options.ts'
import { withinMs } from './within-ms.ts'

/** A client that is connected. */
export interface Connection {
  readonly client: Client
  /** See {@link watchHosts}. */
  hostsDown(): string
  /** Shuts a client of our own down; leaves one of the caller's open. */
  letGo(): Promise<void>
}

export type ConnectOptions = CassandraConnection &
  Pick<CassandraKeyspace, 'connectTimeoutMs' | 'logger'> & { readonly requestTimeoutMs?: number }

export const defaultConnectTimeoutMs = 30_000
const defaultRequestTimeoutMs = 8_000
const pauseMs = 500

/**
 * Connects; where the cluster is not there yet, tries again until `connectTimeoutMs` have passed.
 *
 * @throws `MISCONFIGURED` where the cluster refuses the password or has no such data centre; `UNAVAILABLE` where it could
 * not be reached in time.
 */
export const connect = async (options: ConnectOptions): Promise<Connection> => {
  const { connectTimeoutMs = defaultConnectTimeoutMs, requestTimeoutMs = defaultRequestTimeoutMs, logger = consoleLogger } = options
  const until = performance.now() + connectTimeoutMs
  let said: string | undefined
  for (;;) {
    const leftMs = until - performance.now()
    const client = 'client' in options ? options.client : guarded(makeClient(options, { connectTimeoutMs, requestTimeoutMs }), logger)
    const connecting = client.connect()
    const failure = await failureOf(connecting, leftMs)
    if (failure === undefined) {
      if (said !== undefined) logger.info({}, 'Cassandra can be reached now')
      const watch = watchHosts(client, logger)
      return {
        client,
        hostsDown: () => watch.hostsDown(),
        letGo: async () => {
          watch.stop()
          if (!('client' in options)) await client.shutdown()
        },
      }
    }
    if (!('client' in options)) putAway(client, connecting)
    const misfit = misfitOf(failure, options)
    if (misfit !== undefined) throw misfit
    const says = messageOf(failure)
    if (says !== said) logger.warn({ err: failure }, 'Cassandra cannot be reached; trying again')
    said = says
    if (performance.now() + pauseMs >= until) throw unreachable(options, connectTimeoutMs, failure)
    await sleep(pauseMs)
  }
}

const guarded = (client: Client, logger: Logger): Client => {
  guardControlConnection(client, logger)
  guardHosts(client)
  return client
}

/** The driver gives up by itself in most cases; a server that takes connections and never answers is one of the others. */
const failureOf = async (connecting: Promise<void>, ms: number): Promise<unknown> => {
  try {
    if (await withinMs(ms, connecting)) return undefined
  } catch (error) {
    return error
  }
  return new Error('connections are taken and nothing is answered')
}

/** A client that was given up may still be connecting: what it comes to is of no interest any more. */
const putAway = (client: Client, connecting: Promise<void>): void => {
  const shutDown = async (): Promise<void> => {
    await client.shutdown()
    closeControlConnection(client)
  }
  connecting.then(shutDown, shutDown).catch(() => {})
}

/** What cannot come right by waiting. */
const misfitOf = (failure: unknown, options: ConnectOptions): TaskledgerError | undefined => {
  const said = failure instanceof errors.NoHostAvailableError ? hostErrorsOf(failure) : [failure]
  const misconfigured = (text: string): TaskledgerError => new TaskledgerError('MISCONFIGURED', text, { cause: failure })
  if (said.some((error) => (error instanceof errors.AuthenticationError && !isUndecided(error)) || isRefusal(error)))
    return misconfigured(`Cassandra refuses to let this client in (${messageOf(failure)}). Check \`credentials\``)
  if (said.some((error) => error instanceof errors.ArgumentError && /data ?cent/i.test(error.message)))
    return misconfigured(
      `Cassandra has no data centre "${'localDataCenter' in options ? options.localDataCenter : ''}" (${messageOf(failure)}). Check \`localDataCenter\``,
    )
  return undefined
}

const unreachable = (options: ConnectOptions, connectTimeoutMs: number, failure: unknown): TaskledgerError => {
  const where = 'contactPoints' in options ? options.contactPoints.join(', ') : 'the given client'
  return new TaskledgerError(
    'UNAVAILABLE',
    `Cassandra cannot be reached at ${where} within ${connectTimeoutMs} ms: ${messageOf(failure)}. ` +
      'Check that it runs, that `contactPoints` has its address and port, and that no firewall is in between',
    { cause: failure },
  )
}
