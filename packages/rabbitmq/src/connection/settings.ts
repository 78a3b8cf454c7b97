import type { Logger } from '@taskledger/core/ports'
import { checkOneOf, checkPattern, checkWhole, consoleLogger, wrongOption } from '@taskledger/core/ports'
import type { BrokerAddress } from './broker-address.ts'
import { brokerAddress, wrongUrl } from './broker-address.ts'
import type { RabbitmqMessagingOptions } from './options.ts'

/** The options, checked and with their defaults. */
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
 * Without a dot: a dot in a prefix would give two queues one name (prefix `a.work` and queue `x`, prefix `a` and queue `work.x`).
 * The broker reserves names that begin with `amq.`.
 */
const prefixPattern = /^(?!amq$)[A-Za-z0-9_-]{1,64}$/

/** The maximum of the other numbers: what a timer and a field of the protocol hold. */
const maxWhole = 2 ** 31 - 1

/** @throws `MISUSE` for a wrong option. */
export const settingsOf = (options: RabbitmqMessagingOptions): Settings => {
  const { prefix = 'taskledger', queueType = 'quorum', socketOptions = {}, logger = consoleLogger } = options
  const heartbeatSeconds = checkWhole('heartbeatSeconds', options.heartbeatSeconds ?? 10, 1, 3_600)
  const urls = urlsOf(options.url)
  if (typeof socketOptions !== 'object' || socketOptions === null) throw wrongOption('socketOptions', socketOptions, 'an object')
  return {
    addresses: urls.map((url) => brokerAddress(url, heartbeatSeconds)),
    prefix: checkPattern('prefix', prefix, prefixPattern, '1 to 64 letters, digits, "-" or "_", other than "amq"'),
    queueType: checkOneOf('queueType', queueType, ['quorum', 'classic']),
    deliveryLimit: checkWhole('deliveryLimit', options.deliveryLimit ?? 100, 1, 1_000_000),
    heartbeatSeconds,
    connectTimeoutMs: checkWhole('connectTimeoutMs', options.connectTimeoutMs ?? 30_000, 1, maxWhole),
    confirmTimeoutMs: checkWhole('confirmTimeoutMs', options.confirmTimeoutMs ?? 8_000, 1, maxWhole),
    maxUnconfirmed: checkWhole('maxUnconfirmed', options.maxUnconfirmed ?? 500, 1, 65_535),
    maxMessageBytes: checkWhole('maxMessageBytes', options.maxMessageBytes ?? 16_000_000, 1_024, maxWhole),
    lazyAcknowledgementMs: checkWhole('lazyAcknowledgementMs', options.lazyAcknowledgementMs ?? 2_000, 0, maxWhole),
    socketOptions,
    logger,
  }
}

const urlsOf = (url: unknown): readonly string[] => {
  const urls: readonly unknown[] = Array.isArray(url) ? url : [url]
  if (urls.length === 0) throw wrongUrl('an empty list')
  if (!urls.every((each) => typeof each === 'string')) throw wrongUrl('not a text')
  return urls
}
