import type { ChannelModel, ConfirmChannel, Options } from 'amqplib'
import { connect } from 'amqplib'

/** The broker as a test sees it, without the adapter in between. */
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
    const model = await connect(url, { noDelay: true })
    model.on('error', () => {})
    const channel = await model.createConfirmChannel()
    channel.on('error', () => {})
    return new Broker(url, model, channel)
  }

  async publish(exchange: string, routingKey: string, bytes: Uint8Array, options: Options.Publish = {}): Promise<void> {
    this.#channel.publish(exchange, routingKey, Buffer.from(bytes), options)
    await this.#channel.waitForConfirms()
  }

  /** Declares a queue by hand. */
  async declare(queue: string, args: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#channel.assertQueue(queue, { durable: true, arguments: args })
  }

  /** How many messages wait in a queue, or nothing where there is no such queue. */
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

  /** The messages of a queue, each with its headers, in one text each. They stay where they are. */
  async textsOf(queue: string): Promise<readonly string[]> {
    if ((await this.count(queue)) === undefined) return []
    const texts: string[] = []
    const channel = await this.#model.createChannel()
    for (let message = await channel.get(queue); message !== false; message = await channel.get(queue)) {
      texts.push(`${message.content.toString()} ${Object.values(message.properties.headers ?? {}).join(' ')}`)
    }
    // What is not acknowledged goes back.
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

  /** Deletes what a test made, and lets go. */
  async close(queues: Iterable<string> = [], exchange?: string): Promise<void> {
    // The broker was restarted meanwhile.
    if (this.#isLost) return (await Broker.connect(this.#url)).close(queues, exchange)
    for (const queue of queues) await this.#channel.deleteQueue(queue)
    if (exchange !== undefined) await this.#channel.deleteExchange(exchange)
    await this.#model.close()
  }
}
