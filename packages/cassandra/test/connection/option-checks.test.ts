import { isMisuse, silentLogger } from '@taskledger/core/ports'
import { expect, test } from 'vitest'
import { checkConnectionOptions } from '../../src/connection/option-checks.ts'

const fine = { contactPoints: ['127.0.0.1:9042'], localDataCenter: 'datacenter1', keyspace: 'taskledger' }

const refusalOf = (options: object): unknown => {
  try {
    checkConnectionOptions('cassandraStorage', options as typeof fine)
  } catch (error) {
    return error
  }
  return undefined
}

const notACertificate = '-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n'

test.each<[string, object]>([
  ['keyspace', { keyspace: undefined }],
  ['keyspace', { keyspace: 'a-b' }],
  ['prefix', { prefix: '' }],
  ['prefix', { prefix: 7 }],
  ['consistency', { consistency: 'quorum' }],
  ['contactPoints', { contactPoints: undefined }],
  ['contactPoints', { contactPoints: [] }],
  ['contactPoints', { contactPoints: '127.0.0.1' }],
  ['contactPoints', { contactPoints: [undefined] }],
  ['localDataCenter', { localDataCenter: undefined }],
  ['localDataCenter', { localDataCenter: '' }],
  ['credentials', { credentials: { user: 'ada', password: 'secret' } }],
  ['client', { client: 'localhost' }],
  ['tls', { tls: true }],
  ['tls.ca', { tls: { ca: 'secret' } }],
  ['tls.ca', { tls: { ca: '' } }],
  ['tls.ca', { tls: { ca: ['secret'] } }],
  ['tls.ca', { tls: { ca: Buffer.from('secret') } }],
  ['tls.ca', { tls: { ca: notACertificate } }],
  ['tls', { tls: { key: 'secret' } }],
  ['tls', { tls: { cert: 'secret' } }],
  ['logger', { logger: () => {} }],
  ['maxInFlight', { maxInFlight: 100 }],
  ['connectTimeoutMs', { connectTimeoutMs: 0 }],
  ['connectTimeoutMs', { connectTimeoutMs: '30000' }],
  ['requestTimeoutMs', { requestTimeoutMs: Number.NaN }],
  ['maxInFlight.requests', { maxInFlight: { requests: 0 } }],
  ['maxInFlight.conditional', { maxInFlight: { conditional: -1 } }],
  ['finishedRowsTtlMs', { finishedRowsTtlMs: -1 }],
  ['replication', { replication: 3 }],
])('a wrong or missing %s is MISUSE, and the error names it: %o', (name, wrong) => {
  const error = refusalOf({ ...fine, ...wrong })
  expect(error).toSatisfy(isMisuse)
  expect(error).toHaveProperty('message', expect.stringMatching(new RegExp(`^${name}( is |:)`)))
  expect(error).not.toHaveProperty('message', expect.stringContaining('secret'))
})

test('an option with a wrong name is MISUSE, with the name that was probably meant', () => {
  expect(refusalOf({ ...fine, contactpoints: [] })).toHaveProperty('message', expect.stringContaining('did you mean contactPoints?'))
})

test('a text in the place of a secret is not shown', () => {
  for (const name of ['credentials', 'tls'])
    expect(refusalOf({ ...fine, [name]: 'secret' })).toHaveProperty('message', expect.not.stringContaining('secret'))
})

test('correct options pass', () => {
  expect(refusalOf(fine)).toBe(undefined)
  expect(refusalOf({ client: { execute: () => {} }, keyspace: 'taskledger', finishedRowsTtlMs: 0 })).toBe(undefined)
  const all = {
    ...fine,
    prefix: 'shop',
    consistency: 'global',
    credentials: { username: 'a', password: 'b' },
    tls: {},
    logger: silentLogger,
  }
  expect(refusalOf(all)).toBe(undefined)
  expect(refusalOf({ ...all, credentials: () => all.credentials, tls: async () => ({}) })).toBe(undefined)
  expect(refusalOf({ ...all, replication: { class: 'SimpleStrategy', replication_factor: 1 } })).toBe(undefined)
})
