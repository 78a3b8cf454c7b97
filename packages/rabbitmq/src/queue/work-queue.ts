import type { CallOptions, Consumer, ConsumeOptions, Delivery, WorkMessage, WorkQueue, WorkQueueCapabilities } from '@taskledger/core/ports'
import { closedError, TaskledgerError } from '@taskledger/core/ports'
import { bounded } from '../connection/bounded.ts'
import type { BrokerConnection } from '../connection/broker-connection.ts'
import { MessageSender } from './message-sender.ts'
import { ParallelConsumer } from './parallel-consumer.ts'
import { Publisher } from '../connection/publisher.ts'
import { SerialConsumer } from './serial-consumer.ts'
import type { Settings } from '../connection/settings.ts'
import type { BrokerQueues } from '../topology/broker-queues.ts'

/** The work queue on the broker: one connection publishes, the other consumes. */
export class RabbitmqWorkQueue implements WorkQueue {
  readonly capabilities: WorkQueueCapabilities
  readonly #consuming: BrokerConnection
  readonly #brokerQueues: BrokerQueues
  readonly #settings: Settings
  readonly #publisher: Publisher
  readonly #sender: MessageSender
  readonly #letGo: () => Promise<void>
  readonly #consumers = new Set<Consumer>()
  #closed: Promise<void> | undefined

  constructor(
    publishing: BrokerConnection,
    consuming: BrokerConnection,
    brokerQueues: BrokerQueues,
    settings: Settings,
    letGo: () => Promise<void>,
  ) {
    this.#consuming = consuming
    this.#brokerQueues = brokerQueues
    this.#settings = settings
    this.#letGo = letGo
    this.#publisher = new Publisher('publisher of messages', publishing, settings)
    this.#sender = new MessageSender(publishing, brokerQueues, this.#publisher, settings)
    // Where a client vanishes without a goodbye, the broker notices after some two heartbeats and a bit.
    this.capabilities = { durability: true, redeliveryWithinMs: 2_500 * settings.heartbeatSeconds + 5_000, delayedRelease: true }
  }

  /** @throws `MISCONFIGURED` */
  start(): Promise<void> {
    return this.#publisher.start()
  }

  async send(queue: string, message: WorkMessage, options?: CallOptions): Promise<void> {
    this.#pass(options?.signal)
    await this.#sender.send(queue, message, options?.signal)
  }

  async consume(queue: string, handler: (delivery: Delivery) => Promise<void>, { slots, mode, signal }: ConsumeOptions): Promise<Consumer> {
    this.#pass(signal)
    const { connectTimeoutMs, heartbeatSeconds, lazyAcknowledgementMs } = this.#settings
    const parts = {
      connection: this.#consuming,
      brokerQueues: this.#brokerQueues,
      sender: this.#sender,
      lazyAcknowledgementMs,
      watchMs: 3_000 * heartbeatSeconds,
    }
    const consumer =
      mode === 'serial' ? new SerialConsumer(queue, handler, slots, parts) : new ParallelConsumer(queue, handler, slots, parts)
    this.#consumers.add(consumer)
    const close = async (): Promise<void> => {
      await consumer.close()
      this.#consumers.delete(consumer)
    }
    try {
      await bounded(consumer.start(), {
        timeoutMs: connectTimeoutMs,
        signal,
        onTimeout: () =>
          new TaskledgerError(
            'UNAVAILABLE',
            `the queue "${queue}" could not be consumed within ${connectTimeoutMs} ms (${this.#consuming.lastWords})`,
          ),
      })
    } catch (error) {
      // Whoever is told that it failed must not be handed anything later.
      void close()
      throw this.#closed === undefined ? error : closedError('the work queue')
    }
    return { resize: (slots) => consumer.resize(slots), close }
  }

  async depth(queue: string, { signal }: CallOptions = {}): Promise<number> {
    this.#pass(signal)
    return this.#brokerQueues.depth(this.#consuming, queue, { signal })
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.close()))
    await this.#publisher.close()
    await this.#letGo()
  }

  #pass(signal: AbortSignal | undefined): void {
    if (this.#closed !== undefined) throw closedError('the work queue')
    signal?.throwIfAborted()
  }
}
