import type { Logger, OptionHints } from '@taskledger/core/ports'
import { checkOptions, consoleLogger, neverThrowing } from '@taskledger/core/ports'
import type { BrokerAddress } from './broker-address.ts'
import { brokerAddress, wrongUrl } from './broker-address.ts'
import { optionChecks } from './option-checks.ts'
import type { RabbitmqMessagingOptions } from './options.ts'

/** The options, checked and with their defaults. */
export interface Settings {
  readonly addresses: readonly BrokerAddress[]
  readonly prefix: string
  readonly queueType: 'quorum' | 'classic'
  readonly deliveryLimit: number
  /** The longest interval of heartbeats of all addresses. */
  readonly heartbeatSeconds: number
  readonly connectTimeoutMs: number
  readonly confirmTimeoutMs: number
  readonly maxUnconfirmed: number
  readonly maxMessageBytes: number
  readonly lazyAcknowledgementMs: number
  readonly credentials: RabbitmqMessagingOptions['credentials']
  readonly socketOptions: RabbitmqMessagingOptions['socketOptions']
  readonly logger: Logger
}

const tls = 'give socketOptions: { ca, cert, key, servername }, and a url that begins with amqps://'

const hints: OptionHints = {
  tls,
  ssl: tls,
  hostname: 'give url: "amqp://user:password@host:port/vhost"',
  host: 'give url: "amqp://user:password@host:port/vhost"',
  vhost: 'give url: "amqp://user:password@host:port/vhost"',
  prefetch: 'give slots to the worker (worker of createTaskManager)',
}

/** @throws `MISUSE` for a wrong option. */
export const settingsOf = (options: RabbitmqMessagingOptions): Settings => {
  const checked = checkOptions('rabbitmqMessaging', options, optionChecks, hints)
  const { url, heartbeatSeconds = 5 } = checked
  if (url === undefined) throw wrongUrl('missing')
  const addresses = url.map((each) => brokerAddress(each, heartbeatSeconds))
  return {
    addresses,
    prefix: checked.prefix ?? 'taskledger',
    queueType: checked.queueType ?? 'quorum',
    deliveryLimit: checked.deliveryLimit ?? 100,
    heartbeatSeconds: Math.max(...addresses.map((address) => address.heartbeatSeconds)),
    connectTimeoutMs: checked.connectTimeoutMs ?? 30_000,
    confirmTimeoutMs: checked.confirmTimeoutMs ?? 8_000,
    maxUnconfirmed: checked.maxUnconfirmed ?? 500,
    maxMessageBytes: checked.maxMessageBytes ?? 16_000_000,
    lazyAcknowledgementMs: checked.lazyAcknowledgementMs ?? 2_000,
    credentials: checked.credentials,
    socketOptions: checked.socketOptions,
    logger: neverThrowing(checked.logger ?? consoleLogger),
  }
}
