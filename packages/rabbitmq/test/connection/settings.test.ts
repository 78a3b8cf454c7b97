import { consoleLogger, isMisuse } from '@taskledger/core/ports'
import { expect, test, vi } from 'vitest'
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
  ['url', { url: ['amqp://localhost', undefined] } as never],
  ['url', { url: 'amqp://localhost?heartbeat=0' }],
  ['url', { url: 'amqp://localhost?heartbeat=soon' }],
  ['url', { url: ['amqp://localhost', 'amqp://localhost?heartbeat=3601'] }],
  ['url', { url: new URL('amqp://localhost') } as never],
  ['prefix', { url: 'amqp://localhost', prefix: 1 as never }],
  ['socketOptions', { url: 'amqp://localhost', socketOptions: 'ca' as never }],
  ['socketOptions.ca', { url: 'amqps://localhost', socketOptions: { ca: 'secret' } }],
  ['socketOptions', { url: 'amqps://localhost', socketOptions: { key: 'secret' } }],
  ['credentials', { url: 'amqp://localhost', credentials: { user: 'ada', password: 'secret' } as never }],
  ['prefix', { url: 'amqp://localhost', prefix: '' }],
  ['prefix', { url: 'amqp://localhost', prefix: 'a.work' }],
  ['prefix', { url: 'amqp://localhost', prefix: 'amq' }],
  ['heartbeatSeconds', { url: 'amqp://localhost', heartbeatSeconds: 0 }],
  ['deliveryLimit', { url: 'amqp://localhost', deliveryLimit: 1.5 }],
  ['maxUnconfirmed', { url: 'amqp://localhost', maxUnconfirmed: Number.NaN }],
])('the error of a wrong %s begins with its name', (name, options) => {
  expect(misuseOf(options)).toMatch(new RegExp(`^${name} is .+: give `))
})

test.each<[object, string]>([
  [{ urls: ['amqp://localhost'] }, 'rabbitmqMessaging has no option "urls": did you mean url?'],
  [{ url: 'amqp://localhost', heartbeat: 3 }, 'rabbitmqMessaging has no option "heartbeat": did you mean heartbeatSeconds?'],
  [{ url: 'amqp://localhost', queuePrefix: 'a' }, 'rabbitmqMessaging has no option "queuePrefix": did you mean prefix?'],
  [{ url: 'amqp://localhost', tls: {} }, 'rabbitmqMessaging has no option "tls": give socketOptions'],
  [{ url: 'amqp://localhost', logger: () => {} }, 'logger is a function: give an object with the methods debug'],
  [{ url: 'amqp://localhost', connectTimeoutMs: Infinity }, 'connectTimeoutMs is Infinity: give a whole number, 1 to 2147483647'],
  [{ url: 'amqp://localhost', confirmTimeoutMs: '8s' }, 'confirmTimeoutMs is "8s": give a whole number'],
  [{}, 'url is missing: give an address like amqp://'],
])('the options %o are refused with what is expected', (options, message) => {
  expect(misuseOf(options as never)).toContain(message)
})

test('options that are null are refused', () => {
  expect(misuseOf(null as never)).toBe('the options of rabbitmqMessaging are null: give an object')
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

test.each([
  ['amqp://pä:grüße@host', 'pä', 'grüße'],
  ['amqp://p%C3%A4:gr%C3%BC%C3%9Fe@host', 'pä', 'grüße'],
  ['amqp://%E7%94%A8%E6%88%B7:%F0%9F%94%91@host', '用户', '🔑'],
  ['amqp://user:a%2Fb%3Ac%40d@host', 'user', 'a/b:c@d'],
  ['amqp://user:50%@host', 'user', '50%'],
  ['amqp://user:50%ü@host', 'user', '50%ü'],
  ['amqp://user@host', 'user', ''],
  ['amqp://host', 'guest', 'guest'],
])('the url %s gives the user %s and the password %s', (url, user, password) => {
  const { addresses } = settingsOf({ url })
  expect(addresses.map((address) => [address.user, address.password])).toEqual([[user, password]])
})

test('the heartbeat in a url takes precedence over the option', () => {
  const { addresses, heartbeatSeconds } = settingsOf({ url: ['amqp://one', 'amqp://other?heartbeat=30'], heartbeatSeconds: 7 })
  expect(addresses.map(({ url }) => new URL(url).searchParams.get('heartbeat'))).toEqual(['7', '30'])
  // The bound of a redelivery has to hold for every address.
  expect(heartbeatSeconds).toBe(30)
})

test('the default logger is the console', () => {
  const warn = vi.spyOn(consoleLogger, 'warn').mockImplementation(() => {})
  settingsOf({ url: 'amqp://localhost' }).logger.warn({ queue: 'mail' }, 'it is late')
  expect(warn.mock.calls).toEqual([[{ queue: 'mail' }, 'it is late']])
  warn.mockRestore()
})
