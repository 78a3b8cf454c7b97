import type { Channel, ChannelModel, ConfirmChannel, Options } from 'amqplib'
import { connect } from 'amqplib'

/** Two connections, as in the adapter: one to publish, one to consume. */
export interface BareLink {
  readonly publisher: ConfirmChannel
  readonly consumer: Channel
  close(): Promise<void>
}

export const openLink = async (url: string): Promise<BareLink> => {
  const open = (): Promise<ChannelModel> => connect(url, { noDelay: true, timeout: 10_000 })
  const [first, second] = await Promise.all([open(), open()])
  return {
    publisher: await first.createConfirmChannel(),
    consumer: await second.createChannel(),
    async close() {
      await first.close()
      await second.close()
    },
  }
}

/** Publishes and resolves when the broker confirms. */
export const confirmed = (
  channel: ConfirmChannel,
  exchange: string,
  key: string,
  content: Buffer,
  options: Options.Publish,
): Promise<void> =>
  new Promise((resolve, reject) => {
    channel.publish(exchange, key, content, options, (error: Error | null) => (error === null ? resolve() : reject(error)))
  })

export const declareQueue = async (channel: Channel, name: string): Promise<void> => {
  await channel.assertQueue(name, { durable: true, arguments: { 'x-queue-type': 'quorum' } })
}

/** Hears every message that is published to a fanout exchange from now on. */
export const listen = async (channel: Channel, exchange: string, heard: (content: Buffer, messageId: unknown) => void): Promise<void> => {
  await channel.assertExchange(exchange, 'fanout', { durable: false, autoDelete: true })
  const { queue } = await channel.assertQueue('', { exclusive: true })
  await channel.bindQueue(queue, exchange, '')
  await channel.consume(queue, (message) => message !== null && heard(message.content, message.properties.messageId), { noAck: true })
}
