/**
 * Messaging on RabbitMQ: work queue and event bus.
 *
 * @packageDocumentation
 */
import type { Messaging } from '@taskledger/core/ports'
import type { RabbitmqMessagingOptions } from './options.ts'

export type { RabbitmqMessagingOptions } from './options.ts'

/** Opens messaging. Queues and exchanges come into being when they are first named. */
export const rabbitmqMessaging = async (_options: RabbitmqMessagingOptions): Promise<Messaging> => {
  throw new Error('not there yet')
}
