import { randomBytes } from 'node:crypto'
import type { BrokerConnection } from '../connection/broker-connection.ts'
import { explained } from '../connection/closes.ts'
import { isRefusal } from '../connection/refusals.ts'
import type { Names } from './names.ts'
import { onOwnChannel, requestWhenOpen } from './requests.ts'

/** What a check of the rights is made of. */
interface RightsCheck {
  readonly connection: BrokerConnection
  readonly names: Names
  readonly timeoutMs: number
}

/**
 * Checks at the start that the user has every right on queues and exchanges of the prefix, instead of at the first task. It declares two
 * queues of its own, which end with the connection: the broker wants the right to read a queue and to write its dead letter exchange
 * when the queue is declared.
 *
 * @throws `MISCONFIGURED` which names the missing right. Any other failure is ignored: the first use of a queue tells it.
 */
export const checkRights = async ({ connection, names, timeoutMs }: RightsCheck): Promise<void> => {
  const name = names.check(randomBytes(8).toString('hex'))
  try {
    await requestWhenOpen(connection, 'could not check the rights of the user', { timeoutMs }, async (model) =>
      onOwnChannel(model, async (channel) => {
        const declare = async (queue: string, deadLetterExchange: string): Promise<void> => {
          const args = { 'x-dead-letter-exchange': deadLetterExchange }
          await channel.assertQueue(queue, { exclusive: true, durable: false, autoDelete: true, arguments: args })
          await channel.deleteQueue(queue)
        }
        await declare(name, '')
        await declare(name, names.events)
      }),
    )
  } catch (error) {
    const explanation = explained(error, 'a queue of the prefix')
    if (isRefusal(explanation)) throw explanation
  }
}
