import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf, TaskledgerError } from '@taskledger/core/ports'
import { connect, defaultConnectTimeoutMs } from '../connection/connect.ts'
import { checkOptions } from '../connection/option-checks.ts'
import type { CassandraStorageOptions } from '../connection/options.ts'
import { Session } from '../connection/session.ts'
import { withinMs } from '../connection/within-ms.ts'
import { checkSchema } from './check.ts'

/** How long to wait before the schema is looked at again, in milliseconds. */
const againAfterMs = 100

/**
 * Opens a session on a schema that is there and is this release's.
 *
 * @throws `MISCONFIGURED` or `UNAVAILABLE`, within `connectTimeoutMs`.
 */
export const openSession = async (options: CassandraStorageOptions): Promise<Session> => {
  checkOptions(options)
  const until = performance.now() + (options.connectTimeoutMs ?? defaultConnectTimeoutMs)
  const connection = await connect(options)
  const session = new Session(connection, options)
  try {
    await untilAvailable(until, () => checkSchema(session))
  } catch (error) {
    await session.close()
    throw error
  }
  return session
}

/** A cluster that is just starting takes connections before it has the replicas that a request needs. */
const untilAvailable = async (until: number, check: () => Promise<void>): Promise<void> => {
  for (;;) {
    try {
      if (await withinMs(until - performance.now(), check())) return
      throw new TaskledgerError('UNAVAILABLE', 'Cassandra lets this client in, and does not answer it: check the state of its hosts')
    } catch (error) {
      if (codeOf(error) !== 'UNAVAILABLE' || performance.now() >= until) throw error
      await sleep(againAfterMs)
    }
  }
}
