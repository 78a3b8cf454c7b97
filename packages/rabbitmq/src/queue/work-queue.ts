import type {
  CallOptions,
  Consumer,
  ConsumeOptions,
  DeadLetter,
  Delivery,
  WorkMessage,
  WorkQueue,
  WorkQueueCapabilities,
} from '@taskledger/core/ports'
import { closedError, unavailable, within } from '@taskledger/core/ports'
import type { BrokerConnection } from '../connection/broker-connection.ts'
import { Publisher } from '../connection/publisher.ts'
import type { Settings } from '../connection/settings.ts'
import type { BrokerQueues } from '../topology/broker-queues.ts'
import { checkRights } from '../topology/rights.ts'
import type { ConsumerParts } from './consumer-parts.ts'
import { deadLettersOf } from './dead-letters.ts'
import { MessageSender } from './message-sender.ts'
import { ParallelConsumer } from './parallel-consumer.ts'
import { SerialConsumer } from './serial-consumer.ts'

/** What a work queue is made of. */
interface WorkQueueParts {
  readonly publishing: BrokerConnection
  readonly consuming: BrokerConnection
  readonly brokerQueues: BrokerQueues
  readonly settings: Settings
  /** Ends the use of the connections. */
  release(): Promise<void>
}

/** The work queue on RabbitMQ. */
export class RabbitmqWorkQueue implements WorkQueue {
  readonly capabilities: WorkQueueCapabilities
  readonly #parts: WorkQueueParts
  readonly #publisher: Publisher
  readonly #sender: MessageSender
  readonly #consumers = new Set<Consumer>()
  /** Aborted when this is closed: a call under way does not wait for a channel that never opens. */
  readonly #closing = new AbortController()
  #closed: Promise<void> | undefined

  constructor(parts: WorkQueueParts) {
    this.#parts = parts
    const { publishing, brokerQueues, settings } = parts
    this.#publisher = new Publisher({ name: 'publisher of messages', connection: publishing, settings })
    this.#sender = new MessageSender({ connection: publishing, brokerQueues, publisher: this.#publisher, settings })
    // The broker looks once per interval, and gives a client up after two looks without a byte: three intervals at most.
    this.capabilities = { durability: 'failover', redeliveryWithinMs: 3_000 * settings.heartbeatSeconds + 2_000, delayedRelease: true }
  }

  /** @throws `MISCONFIGURED`, for example where the user lacks a right. */
  async start(): Promise<void> {
    const { consuming, brokerQueues, settings } = this.#parts
    const rights = { connection: consuming, names: brokerQueues.names, timeoutMs: settings.connectTimeoutMs }
    await Promise.all([this.#publisher.start(), checkRights(rights)])
  }

  async send(queue: string, message: WorkMessage, options?: CallOptions): Promise<void> {
    this.#checkOpen(options?.signal)
    await this.#sender.send(queue, message, options?.signal)
  }

  async consume(queue: string, handler: (delivery: Delivery) => Promise<void>, { slots, mode, signal }: ConsumeOptions): Promise<Consumer> {
    this.#checkOpen(signal)
    const { consuming, brokerQueues, settings } = this.#parts
    const { connectTimeoutMs, heartbeatSeconds, lazyAcknowledgementMs } = settings
    const parts: ConsumerParts = {
      queue,
      handler,
      slots,
      connection: consuming,
      brokerQueues,
      sender: this.#sender,
      lazyAcknowledgementMs,
      watchMs: 3_000 * heartbeatSeconds,
    }
    const consumer = mode === 'serial' ? new SerialConsumer(parts) : new ParallelConsumer(parts)
    this.#consumers.add(consumer)
    const close = async (): Promise<void> => {
      await consumer.close()
      this.#consumers.delete(consumer)
    }
    try {
      await within(consumer.start(), {
        timeoutMs: connectTimeoutMs,
        signal: signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]),
        onTimeout: () => {
          throw unavailable(`could not consume the queue "${queue}" within ${connectTimeoutMs} ms (${consuming.lastErrors})`)
        },
      })
    } catch (error) {
      // After an error the handler must not be called any more.
      void close()
      throw this.#closed === undefined ? error : closedError('the work queue')
    }
    return { resize: (slots) => consumer.resize(slots), close }
  }

  async depth(queue: string, { signal }: CallOptions = {}): Promise<number> {
    this.#checkOpen(signal)
    return this.#parts.brokerQueues.depth(this.#parts.consuming, queue, signal)
  }

  async *deadLetters(queue: string, { signal }: CallOptions = {}): AsyncGenerator<DeadLetter, void, undefined> {
    this.#checkOpen(signal)
    const { consuming: connection, brokerQueues, settings } = this.#parts
    const source = brokerQueues.names.dead(queue)
    yield* deadLettersOf({ queue, source, connection, sender: this.#sender, timeoutMs: settings.confirmTimeoutMs, signal })
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#closing.abort()
    await Promise.all([...this.#consumers].map((consumer) => consumer.close()))
    await this.#publisher.close()
    await this.#parts.release()
  }

  #checkOpen(signal: AbortSignal | undefined): void {
    if (this.#closed !== undefined) throw closedError('the work queue')
    signal?.throwIfAborted()
  }
}
