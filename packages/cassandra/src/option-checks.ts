import { misuse } from '@taskledger/core/ports'
import type { CassandraConnection, CassandraKeyspace } from './options.ts'

/**
 * What the program can do wrong, found before anything is asked of the cluster.
 *
 * @throws `MISUSE` with what is expected.
 */
export const checkOptions = (options: CassandraConnection & CassandraKeyspace): void => {
  const { keyspace, prefix, connectTimeoutMs } = options
  if (!/^\w{1,48}$/.test(keyspace)) throw misuse(`keyspace is "${keyspace}": 1 to 48 letters, digits and _ are expected`)
  if (prefix !== undefined && !/^[\w.-]{1,40}$/.test(prefix))
    throw misuse(`prefix is "${prefix}": 1 to 40 letters, digits, _, - and . are expected`)
  if (connectTimeoutMs !== undefined && !(connectTimeoutMs > 0))
    throw misuse(`connectTimeoutMs is ${connectTimeoutMs}: it has to be above 0`)
  if ('contactPoints' in options && options.contactPoints.length === 0) throw misuse('contactPoints is empty: at least one is expected')
}
