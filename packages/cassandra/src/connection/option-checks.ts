import type { ChecksOf, MisuseError, OptionCheck } from '@taskledger/core/ports'
import {
  checkLogger,
  checkMs,
  checkOneOf,
  checkOptions,
  checkPattern,
  checkWhole,
  misuse,
  objectOf,
  wrongOption,
} from '@taskledger/core/ports'
import { isCredentials } from './credentials.ts'
import type { CassandraAddress, CassandraClient, CassandraKeyspace, CassandraStorageOptions, MigrationOptions } from './options.ts'
import { checkTls } from './tls.ts'

type EveryOption = CassandraAddress & CassandraClient & CassandraStorageOptions & MigrationOptions

/** The longest time that a timer of the driver can wait, in milliseconds: a longer one would fire at once. */
const maxTimerMs = 2 ** 31 - 1

/** A connection has room for 32,768 requests, and the driver keeps one to each host. */
const maxRequests = 32_768

const checkTimeout: OptionCheck<number> = (name, value) => checkWhole(name, value, 1, maxTimerMs)
const checkRequests: OptionCheck<number> = (name, value) => checkWhole(name, value, 1, maxRequests)

const checkContactPoints: OptionCheck = (name, value) => {
  if (!Array.isArray(value) || value.length === 0 || !value.every((point) => typeof point === 'string' && point !== ''))
    throw wrongOption(name, value, 'at least one host, each as "host" or "host:port", or give a client instead')
  return value
}

const checkDataCenter: OptionCheck = (name, value) =>
  checkPattern(name, value, /./, 'the name of the data centre that this node works in (nodetool status shows it)')

const checkCredentials: OptionCheck = (name, value) => {
  if (typeof value !== 'function' && !isCredentials(value))
    throw wrongSecret(name, 'an object with username and password, both texts, or a function that returns one')
  return value
}

const checkReplication: OptionCheck = (name, value) => {
  const isReplication =
    typeof value === 'object' && value !== null && Object.values(value).every((each) => ['string', 'number'].includes(typeof each))
  if (!isReplication) throw wrongOption(name, value, "an object like { class: 'NetworkTopologyStrategy', dc1: 3 }")
  return value
}

/** `migrate` and `cassandraStorage` take the options of each other, so that a program can give both the same object. */
const checks = {
  contactPoints: checkContactPoints,
  localDataCenter: checkDataCenter,
  credentials: checkCredentials,
  tls: (name, value) => (typeof value === 'function' ? value : checkTls(name, value)),
  client: (name, value) => {
    if (typeof value !== 'object' || value === null || !('execute' in value)) throw wrongOption(name, value, 'a Client of cassandra-driver')
    return value
  },
  keyspace: (name, value) => checkPattern(name, value, /^\w{1,48}$/, '1 to 48 letters, digits and _'),
  prefix: (name, value) => checkPattern(name, value, /^[\w.-]{1,40}$/, '1 to 40 letters, digits, _, - and .'),
  consistency: (name, value) => checkOneOf(name, value, ['local', 'global']),
  connectTimeoutMs: checkTimeout,
  requestTimeoutMs: checkTimeout,
  maxInFlight: objectOf({ requests: checkRequests, conditional: checkRequests }),
  // 0 is the default: rows stay.
  finishedRowsTtlMs: checkMs,
  logger: checkLogger,
  replication: checkReplication,
} satisfies ChecksOf<EveryOption>

/**
 * Checks the options before anything is asked of the cluster. Programs in JavaScript may leave options out or misspell
 * them.
 *
 * @throws `MISUSE` with the name of the option and what to give.
 */
export const checkConnectionOptions = (owner: 'cassandraStorage' | 'migrate', options: CassandraKeyspace): void => {
  const { keyspace, client, contactPoints, localDataCenter } = checkOptions(owner, options, checks)
  if (keyspace === undefined) checks.keyspace('keyspace', keyspace)
  if (client !== undefined) return
  if (contactPoints === undefined) checkContactPoints('contactPoints', contactPoints)
  if (localDataCenter === undefined) checkDataCenter('localDataCenter', localDataCenter)
}

/** The error of an option whose value must not be shown. */
const wrongSecret = (name: string, wanted: string): MisuseError<'MISUSE'> => misuse(`${name} is not usable: give ${wanted}`)
