import type { Logger } from '@taskledger/core/ports'
import { consoleLogger, misuse } from '@taskledger/core/ports'
import type { BrokerAddress } from './broker-address.ts'
import { brokerAddress } from './broker-address.ts'
import type { RabbitmqMessagingOptions } from './options.ts'

/** The options, checked, with what was left out. */
export interface Settings {
  readonly addresses: readonly BrokerAddress[]
  readonly prefix: string
  readonly queueType: 'quorum' | 'classic'
  readonly deliveryLimit: number
  readonly heartbeatSeconds: number
  readonly connectTimeoutMs: number
  readonly confirmTimeoutMs: number
  readonly maxUnconfirmed: number
  readonly maxMessageBytes: number
  readonly lazyAcknowledgementMs: number
  readonly socketOptions: object
  readonly logger: Logger
}

/**
 * A dot in a prefix would make two names for one thing: `a.work` and `x` the same as `a` and `work.x`. The broker keeps names
 * that begin with `amq.` for itself.
 */
const prefixShape = /^(?!amq$)[A-Za-z0-9_-]{1,64}$/

/** @throws `MISUSE` for an option that cannot be. */
export const settingsOf = (options: RabbitmqMessagingOptions): Settings => {
  const { prefix = 'taskledger', queueType = 'quorum', socketOptions = {}, logger = consoleLogger } = options
  const heartbeatSeconds = whole('heartbeatSeconds', options.heartbeatSeconds ?? 10, 1, 3_600)
  const urls = urlsOf(options.url)
  if (typeof prefix !== 'string' || !prefixShape.test(prefix)) throw misuse('prefix: up to 64 letters, digits, "-" and "_", and not "amq"')
  if (queueType !== 'quorum' && queueType !== 'classic') throw misuse('queueType: "quorum" or "classic"')
  if (typeof socketOptions !== 'object' || socketOptions === null) throw misuse('socketOptions: an object')
  return {
    addresses: urls.map((url) => brokerAddress(url, heartbeatSeconds)),
    prefix,
    queueType,
    deliveryLimit: whole('deliveryLimit', options.deliveryLimit ?? 100, 1, 1_000_000),
    heartbeatSeconds,
    connectTimeoutMs: whole('connectTimeoutMs', options.connectTimeoutMs ?? 30_000, 1),
    confirmTimeoutMs: whole('confirmTimeoutMs', options.confirmTimeoutMs ?? 8_000, 1),
    maxUnconfirmed: whole('maxUnconfirmed', options.maxUnconfirmed ?? 500, 1, 65_535),
    maxMessageBytes: whole('maxMessageBytes', options.maxMessageBytes ?? 16_000_000, 1_024),
    lazyAcknowledgementMs: whole('lazyAcknowledgementMs', options.lazyAcknowledgementMs ?? 2_000, 0),
    socketOptions,
    logger,
  }
}

// What it was given instead is not shown: it may hold a password.
const urlsOf = (url: unknown): readonly string[] => {
  const urls: readonly unknown[] = Array.isArray(url) ? url : [url]
  if (urls.length === 0) throw misuse('url: give at least one')
  if (!urls.every((each) => typeof each === 'string'))
    throw misuse('url: a text like amqp://user:password@host:port/vhost, or several of them')
  return urls
}

const whole = (name: string, value: number, least: number, most = 2 ** 31 - 1): number => {
  if (!Number.isInteger(value) || value < least || value > most) throw misuse(`${name}: a whole number from ${least} to ${most}`)
  return value
}
