import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf, unavailable, within } from '@taskledger/core/ports'
import { connect, defaultConnectTimeoutMs } from '../connection/connect.ts'
import { checkConnectionOptions } from '../connection/option-checks.ts'
import type { CassandraStorageOptions } from '../connection/options.ts'
import { Session } from '../connection/session.ts'
import { checkSchema, requireTimeToLive } from './check.ts'

/** How long to wait before the next schema check, in milliseconds. */
const retryPauseMs = 100

/**
 * Opens a session, and checks that the schema is that of this release.
 *
 * @throws `MISCONFIGURED` or `UNAVAILABLE`, within `connectTimeoutMs`.
 */
export const openSession = async (options: CassandraStorageOptions): Promise<Session> => {
  checkConnectionOptions('cassandraStorage', options)
  const until = performance.now() + (options.connectTimeoutMs ?? defaultConnectTimeoutMs)
  const connection = await connect(options)
  const session = new Session(connection, options)
  try {
    await untilAvailable(until, async () => {
      await checkSchema(session)
      const ttlSeconds = Math.ceil((options.finishedRowsTtlMs ?? 0) / 1_000)
      if (ttlSeconds > 0) await requireTimeToLive(session, ttlSeconds)
    })
  } catch (error) {
    await session.close()
    throw error
  }
  return session
}

/**
 * Retries while the replicas are unavailable: a cluster that is just starting accepts connections before it can answer
 * requests.
 */
const untilAvailable = async (until: number, check: () => Promise<void>): Promise<void> => {
  for (;;) {
    try {
      return await within(check(), { timeoutMs: until - performance.now(), onTimeout: noAnswer })
    } catch (error) {
      if (codeOf(error) !== 'UNAVAILABLE' || performance.now() >= until) throw error
      await sleep(retryPauseMs)
    }
  }
}

const noAnswer = (): never => {
  throw unavailable('Cassandra accepted the connection and does not answer requests: check the state of its hosts')
}
