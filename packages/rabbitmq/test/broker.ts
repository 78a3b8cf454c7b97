import type { ChannelModel, ConfirmChannel, Options } from 'amqplib'
import { connect } from 'amqplib'
import { credentialsIn } from '@taskledger/servers'

/** Direct access to the broker, without the adapter. */
export class Broker {
  readonly #url: string
  readonly #model: ChannelModel
  readonly #channel: ConfirmChannel
  #isLost = false

  private constructor(url: string, model: ChannelModel, channel: ConfirmChannel) {
    this.#url = url
    this.#model = model
    this.#channel = channel
    model.on('close', () => (this.#isLost = true))
  }

  static async connect(url: string): Promise<Broker> {
    const model = await connect(url, { noDelay: true, ...credentialsIn(url) })
    model.on('error', () => {})
    const channel = await model.createConfirmChannel()
    channel.on('error', () => {})
    return new Broker(url, model, channel)
  }

  async publish(exchange: string, routingKey: string, bytes: Uint8Array, options: Options.Publish = {}): Promise<void> {
    this.#channel.publish(exchange, routingKey, Buffer.from(bytes), options)
    await this.#channel.waitForConfirms()
  }

  /** Declares a queue. */
  async declare(queue: string, args: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#channel.assertQueue(queue, { durable: true, arguments: args })
  }

  /** Binds a queue to a fanout exchange. */
  async bind(queue: string, exchange: string): Promise<void> {
    await this.#channel.bindQueue(queue, exchange, '')
  }

  /** How many messages wait in a queue; nothing for an unknown queue. */
  async count(queue: string): Promise<number | undefined> {
    const channel = await this.#model.createChannel()
    channel.on('error', () => {})
    try {
      const { messageCount } = await channel.checkQueue(queue)
      await channel.close()
      return messageCount
    } catch {
      return undefined
    }
  }

  /** The messages of a queue, each as a text with its headers. They stay in the queue. */
  async textsOf(queue: string): Promise<readonly string[]> {
    if ((await this.count(queue)) === undefined) return []
    const texts: string[] = []
    const channel = await this.#model.createChannel()
    for (let message = await channel.get(queue); message !== false; message = await channel.get(queue)) {
      texts.push(`${message.content.toString()} ${Object.values(message.properties.headers ?? {}).join(' ')}`)
    }
    // Closing the channel requeues the messages, because none is acknowledged.
    await channel.close()
    return texts
  }

  /** How many consumers a queue has. */
  async consumers(queue: string): Promise<number> {
    const { consumerCount } = await this.#channel.checkQueue(queue)
    return consumerCount
  }

  async deleteExchange(exchange: string): Promise<void> {
    await this.#channel.deleteExchange(exchange)
  }

  async delete(queue: string): Promise<void> {
    await this.#channel.deleteQueue(queue)
  }

  /** Deletes the queues and the exchange of a test, and closes the connection. */
  async close(queues: Iterable<string> = [], exchange?: string): Promise<void> {
    // A test has restarted the broker.
    if (this.#isLost) return (await Broker.connect(this.#url)).close(queues, exchange)
    for (const queue of queues) await this.#channel.deleteQueue(queue)
    if (exchange !== undefined) await this.#channel.deleteExchange(exchange)
    await this.#model.close()
  }
}
