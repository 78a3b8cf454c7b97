/**
 * Messaging on RabbitMQ: work queue and event bus.
 *
 * @packageDocumentation
 */
import type { TaskMessaging } from '@taskledger/core/ports'
import { BrokerConnection } from './connection/broker-connection.ts'
import type { RabbitmqMessagingOptions } from './connection/options.ts'
import { RabbitmqEventBus } from './bus/event-bus.ts'
import { RabbitmqWorkQueue } from './queue/work-queue.ts'
import { settingsOf } from './connection/settings.ts'
import { BrokerQueues } from './topology/broker-queues.ts'

export type { RabbitmqMessagingOptions } from './connection/options.ts'

/**
 * Opens messaging on RabbitMQ, 3.10 or newer. Queues and exchanges come into being when they are first named; nothing is ever
 * deleted. Two connections are kept: one publishes, the other consumes, since a broker that is short of memory stops those who
 * publish. Whatever is lost is opened again, for ever.
 *
 * @returns messaging that can be used. Close it once; its two ports may be closed alone, too.
 * @throws `UNAVAILABLE` where no broker could be reached within `connectTimeoutMs`; `MISCONFIGURED` where one refuses the user,
 * the vhost, or what is to be declared, with a message that says what to mend; a `TypeError` for a wrong option.
 */
export const rabbitmqMessaging = async (options: RabbitmqMessagingOptions): Promise<TaskMessaging> => {
  const settings = settingsOf(options)
  const brokerQueues = new BrokerQueues(settings)
  const [publishing, consuming] = [new BrokerConnection('publishing', settings), new BrokerConnection('consuming', settings)]
  let portsOpen = 2
  /** Both ports stand on both connections. */
  const letGo = async (): Promise<void> => {
    if (--portsOpen === 0) await Promise.all([publishing.close(), consuming.close()])
  }
  const queue = new RabbitmqWorkQueue(publishing, consuming, brokerQueues, settings, letGo)
  const bus = new RabbitmqEventBus(publishing, consuming, brokerQueues, settings, letGo)
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
