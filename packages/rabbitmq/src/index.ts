/**
 * Messaging on RabbitMQ: work queue and event bus.
 *
 * @packageDocumentation
 */
import type { TaskMessaging } from '@taskledger/core/ports'
import { RabbitmqEventBus } from './bus/event-bus.ts'
import { BrokerConnection } from './connection/broker-connection.ts'
import type { RabbitmqMessagingOptions } from './connection/options.ts'
import { settingsOf } from './connection/settings.ts'
import { RabbitmqWorkQueue } from './queue/work-queue.ts'
import { BrokerQueues } from './topology/broker-queues.ts'

export type { RabbitmqCredentials, RabbitmqMessagingOptions } from './connection/options.ts'

/**
 * Opens messaging on RabbitMQ 3.10 or newer. Queues and exchanges are declared when they are first used, and never deleted. One
 * connection publishes and another one consumes, because a broker that is short of memory blocks the connections that publish.
 * Lost connections are opened again, without limit.
 *
 * @returns messaging that is ready for use. Close it once; its two ports may also be closed separately.
 * @throws `UNAVAILABLE` where no broker could be reached within `connectTimeoutMs`; `MISCONFIGURED` where a broker refuses the user,
 * the vhost or a declaration, with a message that says what to change; a `TypeError` for a wrong option.
 */
export const rabbitmqMessaging = async (options: RabbitmqMessagingOptions): Promise<TaskMessaging> => {
  const settings = settingsOf(options)
  const brokerQueues = new BrokerQueues(settings)
  const [publishing, consuming] = [new BrokerConnection('publishing', settings), new BrokerConnection('consuming', settings)]
  let openPorts = 2
  /** Both ports use both connections: the second port to close ends them. */
  const release = async (): Promise<void> => {
    if (--openPorts === 0) await Promise.all([publishing.close(), consuming.close()])
  }
  const queue = new RabbitmqWorkQueue({ publishing, consuming, brokerQueues, settings, release })
  const bus = new RabbitmqEventBus({ publishing, consuming, exchange: brokerQueues.names.events, settings, release })
  const close = async (): Promise<void> => {
    await Promise.all([queue.close(), bus.close()])
  }
  try {
    await Promise.all([publishing.open(), consuming.open(), queue.start(), bus.start()])
  } catch (error) {
    await close()
    throw error
  }
  return { queue, bus, close }
}
