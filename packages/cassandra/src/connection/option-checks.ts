import type { MisuseError } from '@taskledger/core/ports'
import { checkMs, checkOneOf, checkPattern, misuse, wrongOption } from '@taskledger/core/ports'
import type { CassandraAddress, CassandraConnection, CassandraKeyspace, CassandraStorageOptions } from './options.ts'

type Limits = Pick<CassandraStorageOptions, 'requestTimeoutMs' | 'maxInFlight' | 'finishedRowsTtlMs'>

/**
 * Checks the options before anything is asked of the cluster. Programs in JavaScript may leave options out or misspell
 * them.
 *
 * @throws `MISUSE` with the name of the option and what to give.
 */
export const checkOptions = (options: CassandraConnection & CassandraKeyspace & Limits): void => {
  const { keyspace, prefix, consistency, connectTimeoutMs, requestTimeoutMs, maxInFlight, finishedRowsTtlMs } = options
  checkPattern('keyspace', keyspace, /^\w{1,48}$/, '1 to 48 letters, digits and _')
  if (prefix !== undefined) checkPattern('prefix', prefix, /^[\w.-]{1,40}$/, '1 to 40 letters, digits, _, - and .')
  if (consistency !== undefined) checkOneOf('consistency', consistency, ['local', 'global'])
  checkPositive('connectTimeoutMs', connectTimeoutMs)
  checkPositive('requestTimeoutMs', requestTimeoutMs)
  checkPositive('maxInFlight.requests', maxInFlight?.requests)
  checkPositive('maxInFlight.conditional', maxInFlight?.conditional)
  // 0 is the default: rows stay.
  if (finishedRowsTtlMs !== undefined) checkMs('finishedRowsTtlMs', finishedRowsTtlMs)
  if (!('client' in options)) checkAddress(options)
}

const checkAddress = ({ contactPoints, localDataCenter, credentials, tls }: Partial<Record<keyof CassandraAddress, unknown>>): void => {
  if (
    !Array.isArray(contactPoints) ||
    contactPoints.length === 0 ||
    !contactPoints.every((point) => typeof point === 'string' && point !== '')
  )
    throw wrongOption('contactPoints', contactPoints, 'at least one host, each as "host" or "host:port", or give a client instead')
  checkPattern('localDataCenter', localDataCenter, /./, 'the name of the data centre that this node works in (nodetool status shows it)')
  if (credentials !== undefined && !hasTexts(credentials, 'username', 'password'))
    throw wrongSecret('credentials', 'an object with username and password, both texts')
  if (tls !== undefined && (typeof tls !== 'object' || tls === null)) throw wrongSecret('tls', 'an object for tls.connect')
}

const checkPositive = (name: string, value: number | undefined): void => {
  if (value !== undefined && !(typeof value === 'number' && value > 0)) throw wrongOption(name, value, 'a number above 0')
}

/** The error of an option whose value must not be shown. */
const wrongSecret = (name: string, wanted: string): MisuseError<'MISUSE'> => misuse(`${name} is not usable: give ${wanted}`)

const hasTexts = (value: unknown, ...names: readonly string[]): boolean =>
  typeof value === 'object' && value !== null && names.every((name) => typeof Reflect.get(value, name) === 'string')
