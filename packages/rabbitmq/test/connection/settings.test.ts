import { consoleLogger, isMisuse } from '@taskledger/core/ports'
import { expect, test } from 'vitest'
import type { RabbitmqMessagingOptions } from '../../src/connection/options.ts'
import { settingsOf } from '../../src/connection/settings.ts'

const misuseOf = (options: RabbitmqMessagingOptions): string => {
  try {
    settingsOf(options)
  } catch (error) {
    if (isMisuse(error)) return error.message
    throw error
  }
  return 'no error'
}

test.each<[string, RabbitmqMessagingOptions]>([
  ['url', { url: 'not a url' }],
  ['url', { url: 'http://localhost' }],
  ['url', { url: [] }],
  ['url', { urls: ['amqp://localhost'] } as never],
  ['url', { url: ['amqp://localhost', undefined] } as never],
  ['url', { url: new URL('amqp://localhost') } as never],
  ['prefix', { url: 'amqp://localhost', prefix: 1 as never }],
  ['socketOptions', { url: 'amqp://localhost', socketOptions: 'ca' as never }],
  ['prefix', { url: 'amqp://localhost', prefix: '' }],
  ['prefix', { url: 'amqp://localhost', prefix: 'a.work' }],
  ['prefix', { url: 'amqp://localhost', prefix: 'amq' }],
  ['heartbeatSeconds', { url: 'amqp://localhost', heartbeatSeconds: 0 }],
  ['deliveryLimit', { url: 'amqp://localhost', deliveryLimit: 1.5 }],
  ['maxUnconfirmed', { url: 'amqp://localhost', maxUnconfirmed: Number.NaN }],
])('the error of a wrong %s begins with its name', (name, options) => {
  expect(misuseOf(options)).toMatch(new RegExp(`^${name} is .+: give `))
})

test('neither an error nor a shown address contains a password', () => {
  expect(misuseOf({ url: 'amqps//user:secret@host' })).not.toContain('secret')
  const { addresses } = settingsOf({ url: ['amqp://user:secret@host/a%2Fb', 'amqps://[::1]:1234'] })
  expect(addresses.map(({ shown }) => shown)).toEqual(['amqp://host:5672', 'amqps://[::1]:1234'])
  expect(addresses.map(({ user, vhost }) => [user, vhost])).toEqual([
    ['user', 'a/b'],
    ['guest', '/'],
  ])
})

test('the heartbeat in a url takes precedence over the option', () => {
  const { addresses } = settingsOf({ url: ['amqp://one', 'amqp://other?heartbeat=3'], heartbeatSeconds: 7 })
  expect(addresses.map(({ url }) => new URL(url).searchParams.get('heartbeat'))).toEqual(['7', '3'])
})

test('the default logger is the console', () => {
  expect(settingsOf({ url: 'amqp://localhost' }).logger).toBe(consoleLogger)
})
