import type { Delivery } from '@taskledger/core/ports'
import type { BrokerConnection } from '../connection/broker-connection.ts'
import type { BrokerQueues } from '../topology/broker-queues.ts'
import type { MessageSender } from './message-sender.ts'

/** What a consumer is made of. */
export interface ConsumerParts {
  readonly queue: string
  readonly handler: (delivery: Delivery) => Promise<void>
  readonly slots: number
  readonly connection: BrokerConnection
  readonly brokerQueues: BrokerQueues
  readonly sender: MessageSender
  readonly lazyAcknowledgementMs: number
  /** How often to check whether the broker still serves a consumer, in milliseconds. */
  readonly watchMs: number
}

/** Why a channel is reopened, for the log. */
export const cancelledByBroker = 'the broker cancelled a consumer, because its queue was deleted or a consumer timeout has passed'
