import type { Logger } from '@taskledger/core/ports'

/** How messaging on RabbitMQ is opened. */
export interface RabbitmqMessagingOptions {
  /** `amqp://user:password@host:port/vhost`, or `amqps://…`; several are tried in turn. */
  readonly url: string | readonly string[]
  /** What the names of exchanges and queues begin with: keeps applications on one vhost apart. Default `taskledger`. */
  readonly prefix?: string
  /** The kind of the work queues. `classic` is for development on a single broker. Default `quorum`. */
  readonly queueType?: 'quorum' | 'classic'
  /** After how many failed deliveries the broker puts a message with the dead letters. Quorum queues only. Default 100. */
  readonly deliveryLimit?: number
  /** How often both sides look whether the other is there, in seconds; a silent connection is given up after about 2.3 times that. Default 10. */
  readonly heartbeatSeconds?: number
  /** How long to try to reach a broker before giving up, in milliseconds. Default 30,000. */
  readonly connectTimeoutMs?: number
  /** How long to wait for the broker to confirm a message, in milliseconds. Default 8,000. */
  readonly confirmTimeoutMs?: number
  /** How many messages may wait for their confirmation at a time; more wait in line. Default 500. */
  readonly maxUnconfirmed?: number
  /** The largest message, in bytes: that of the broker, or less. Default 16,000,000. */
  readonly maxMessageBytes?: number
  /** How long the acknowledgement of an accepted message is held back in case its run ends soon, in milliseconds. Default 2,000. */
  readonly lazyAcknowledgementMs?: number
  /** What Node's `net.connect` or `tls.connect` takes besides: `ca`, `cert`, `key`, `servername` … */
  readonly socketOptions?: object
  /** Default: warnings and errors go to the console. */
  readonly logger?: Logger
}
