import { connect } from 'amqplib'
import type { AmqpEndpoint } from './types.ts'
import { within } from './within.ts'

/** Whether a RabbitMQ answers there and lets us in: a whole AMQP handshake. Rejects with the reason where it does not. */
export const askRabbitmq = async (url: string, timeoutMs: number): Promise<AmqpEndpoint> => {
  const opening = connect(url, { timeout: timeoutMs })
  try {
    const connection = await within(timeoutMs, `asking ${withoutPassword(url)}`, opening)
    connection.on('error', () => {})
    const { version } = connection.connection.serverProperties
    await within(timeoutMs, 'closing the connection', connection.close())
    return { url, version }
  } catch (error) {
    // It may come up after all, when nobody waits for it any more.
    opening.then(
      (connection) => connection.close(),
      () => {},
    )
    throw error
  }
}

/** The address as people may see it. */
export const withoutPassword = (url: string): string => url.replace(/:\/\/[^@/]*@/, '://')
