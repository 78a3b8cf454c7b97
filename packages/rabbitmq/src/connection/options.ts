import type { Logger } from '@taskledger/core/ports'

/** The user to log in as. */
export interface RabbitmqCredentials {
  readonly username: string
  readonly password: string
}

/** The options of messaging on RabbitMQ. */
export interface RabbitmqMessagingOptions {
  /** `amqp://user:password@host:port/vhost`, or `amqps://…`. A list is tried in its order. */
  readonly url: string | readonly string[]
  /**
   * The user, instead of the one in the url; or a function that is called for each new connection, so that a password can be renewed.
   */
  readonly credentials?: RabbitmqCredentials | (() => RabbitmqCredentials | Promise<RabbitmqCredentials>) | undefined
  /** The first part of all names of exchanges and queues. It separates applications on one vhost. Default `taskledger`. */
  readonly prefix?: string | undefined
  /** The type of the work queues. `classic` is for development on a single broker. Default `quorum`. */
  readonly queueType?: 'quorum' | 'classic' | undefined
  /** After how many failed deliveries the broker dead-letters a message. Quorum queues only. Default 100. */
  readonly deliveryLimit?: number | undefined
  /**
   * The interval of heartbeats, in seconds: 1 to 3,600. The broker closes the connection of a process that stands still after two to three
   * intervals, and gives the messages that the process has not accepted to other nodes. Default 5.
   */
  readonly heartbeatSeconds?: number | undefined
  /** How long opening may take, in milliseconds. Default 30,000. */
  readonly connectTimeoutMs?: number | undefined
  /** How long the broker may take to confirm a message, in milliseconds. Default 8,000. */
  readonly confirmTimeoutMs?: number | undefined
  /** How many messages may be sent without a confirmation; further messages wait. Default 500. */
  readonly maxUnconfirmed?: number | undefined
  /** The maximum size of a message, in bytes. Give the broker's limit, or less. Default 16,000,000. */
  readonly maxMessageBytes?: number | undefined
  /** How long the acknowledgement of an accepted message is delayed in case its run ends soon, in milliseconds. Default 2,000. */
  readonly lazyAcknowledgementMs?: number | undefined
  /**
   * Further options of Node's `net.connect` or `tls.connect`: `ca`, `cert`, `key`, `servername` …; or a function that is called for each new
   * connection, so that certificates can be renewed.
   */
  readonly socketOptions?: object | (() => object | Promise<object>) | undefined
  /** Default: a logger that prints warnings and errors to the console. */
  readonly logger?: Logger | undefined
}
