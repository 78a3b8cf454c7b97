import { misuse } from '@taskledger/core/ports'
import type { CassandraAddress, CassandraConnection, CassandraKeyspace, CassandraStorageOptions } from './options.ts'

type Bounds = Pick<CassandraStorageOptions, 'requestTimeoutMs' | 'maxInFlight' | 'finishedRowsTtlMs'>

/**
 * What the program can do wrong, found before anything is asked of the cluster. Programs in JavaScript leave options out and
 * misspell them, too.
 *
 * @throws `MISUSE` with the option's name and what is expected.
 */
export const checkOptions = (options: CassandraConnection & CassandraKeyspace & Bounds): void => {
  const { keyspace, prefix, consistency, connectTimeoutMs, requestTimeoutMs, maxInFlight, finishedRowsTtlMs } = options
  if (!isText(keyspace, /^\w{1,48}$/)) throw misuse(`keyspace is "${keyspace}": 1 to 48 letters, digits and _ are expected`)
  if (prefix !== undefined && !isText(prefix, /^[\w.-]{1,40}$/))
    throw misuse(`prefix is "${prefix}": 1 to 40 letters, digits, _, - and . are expected`)
  if (!['local', 'global', undefined].includes(consistency)) throw misuse(`consistency is "${consistency}": local or global is expected`)
  checkNumber('connectTimeoutMs', connectTimeoutMs)
  checkNumber('requestTimeoutMs', requestTimeoutMs)
  checkNumber('maxInFlight.requests', maxInFlight?.requests)
  checkNumber('maxInFlight.conditional', maxInFlight?.conditional)
  // Nothing and 0 are the same: rows stay.
  if (finishedRowsTtlMs !== 0) checkNumber('finishedRowsTtlMs', finishedRowsTtlMs)
  if (!('client' in options)) checkAddress(options)
}

const checkAddress = ({ contactPoints, localDataCenter, credentials, tls }: Partial<Record<keyof CassandraAddress, unknown>>): void => {
  if (!Array.isArray(contactPoints) || contactPoints.length === 0 || !contactPoints.every((point) => isText(point, /./)))
    throw misuse('contactPoints: at least one host is expected, each as "host" or "host:port"; or give a client instead')
  if (!isText(localDataCenter, /./))
    throw misuse('localDataCenter is missing: the name of the data centre that this node works in is expected (nodetool status shows it)')
  if (credentials !== undefined && !hasTexts(credentials, 'username', 'password'))
    throw misuse('credentials: an object with username and password, both texts, is expected')
  if (tls !== undefined && (typeof tls !== 'object' || tls === null)) throw misuse('tls: an object for tls.connect is expected')
}

const checkNumber = (name: string, value: number | undefined): void => {
  if (value !== undefined && !(typeof value === 'number' && value > 0)) throw misuse(`${name} is ${value}: a number above 0 is expected`)
}

const isText = (value: unknown, shape: RegExp): boolean => typeof value === 'string' && shape.test(value)

const hasTexts = (value: unknown, ...names: readonly string[]): boolean =>
  typeof value === 'object' && value !== null && names.every((name) => typeof Reflect.get(value, name) === 'string')
