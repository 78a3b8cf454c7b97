import type { ChecksOf, OptionCheck } from '@taskledger/core/ports'
import { checkLogger, checkOneOf, checkPattern, checkWhole, misuse, wrongOption } from '@taskledger/core/ports'
import { maxHeartbeatSeconds, wrongUrl } from './broker-address.ts'
import { checkCertificates, isCredentials } from './renewed-options.ts'
import type { RabbitmqMessagingOptions } from './options.ts'

/**
 * Without a dot: a dot in a prefix would give two queues one name (prefix `a.work` and queue `x`, prefix `a` and queue `work.x`).
 * The broker reserves names that begin with `amq.`.
 */
const prefixPattern = /^(?!amq$)[A-Za-z0-9_-]{1,64}$/

/** The maximum of the other numbers: what a timer and a field of the protocol hold. */
const maxWhole = 2 ** 31 - 1

const whole =
  (min: number, max: number = maxWhole): OptionCheck<number> =>
  (name, value) =>
    checkWhole(name, value, min, max)

const checkUrls = (_name: string, value: unknown): readonly string[] => {
  const urls: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (urls.length === 0) throw wrongUrl('an empty list')
  if (!urls.every((url) => typeof url === 'string')) throw wrongUrl('not a text')
  return urls
}

const checkCredentials = (name: string, value: unknown): NonNullable<RabbitmqMessagingOptions['credentials']> => {
  if (typeof value !== 'function' && !isCredentials(value))
    throw misuse(`${name} is not usable: give an object with username and password, both texts, or a function that returns one`)
  return value as NonNullable<RabbitmqMessagingOptions['credentials']>
}

const checkSocketOptions = (name: string, value: unknown): NonNullable<RabbitmqMessagingOptions['socketOptions']> => {
  if (typeof value === 'function') return value
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrongOption(name, value, 'an object for net.connect or tls.connect, or a function that returns one')
  return checkCertificates(name, value)
}

/** The check of each option of `rabbitmqMessaging`. */
export const optionChecks = {
  url: checkUrls,
  credentials: checkCredentials,
  prefix: (name, value) => checkPattern(name, value, prefixPattern, '1 to 64 letters, digits, "-" or "_", other than "amq"'),
  queueType: (name, value) => checkOneOf<'quorum' | 'classic'>(name, value, ['quorum', 'classic']),
  deliveryLimit: whole(1, 1_000_000),
  heartbeatSeconds: whole(1, maxHeartbeatSeconds),
  connectTimeoutMs: whole(1),
  confirmTimeoutMs: whole(1),
  maxUnconfirmed: whole(1, 65_535),
  maxMessageBytes: whole(1_024),
  lazyAcknowledgementMs: whole(0),
  socketOptions: checkSocketOptions,
  logger: checkLogger,
} satisfies ChecksOf<RabbitmqMessagingOptions>
