import { closedError, outcomeUnknown, TaskledgerError } from '@taskledger/core/ports'
import { bounded } from '../connection/bounded.ts'
import type { BrokerConnection } from '../connection/broker-connection.ts'
import { batchesOf } from './notice-batches.ts'
import type { NoticeSequence } from './notice-sequence.ts'
import { Publisher } from '../connection/publisher.ts'
import type { Settings } from '../connection/settings.ts'

/** So much may wait for the batch that is under way, in bytes. */
const mostWaitingBytes = 16 * 1024 * 1024

/** What goes with the next batch, and what comes of it. */
interface Batch {
  readonly lines: Buffer[]
  readonly published: Promise<void>
  settle(error?: Error): void
}

/** Publishes notices without a timer: while one batch is under way, whatever comes goes with the next. */
export class NoticePublisher {
  readonly #exchange: string
  readonly #settings: Settings
  readonly #publisher: Publisher
  readonly #sequence: NoticeSequence
  #waiting = newBatch()
  #waitingBytes = 0
  #isUnderWay = false
  #isClosed = false

  constructor(exchange: string, connection: BrokerConnection, settings: Settings, sequence: NoticeSequence) {
    this.#sequence = sequence
    this.#exchange = exchange
    this.#settings = settings
    this.#publisher = new Publisher('publisher of notices', connection, settings, (channel) =>
      channel.assertExchange(exchange, 'fanout', { durable: true }),
    )
  }

  start(): Promise<void> {
    return this.#publisher.start()
  }

  /** Resolves when the broker has confirmed the lines. @throws as `publish` of the bus does. */
  publish(lines: readonly Buffer[], signal: AbortSignal | undefined): Promise<void> {
    if (this.#isClosed) return Promise.reject(closedError('the event bus'))
    if (this.#waitingBytes > mostWaitingBytes)
      return Promise.reject(new TaskledgerError('UNAVAILABLE', 'notices were not sent: too many wait already'))
    this.#waiting.lines.push(...lines)
    for (const { length } of lines) this.#waitingBytes += length
    const { published } = this.#waiting
    if (!this.#isUnderWay) void this.#send()
    const timeoutMs = 2 * this.#settings.confirmTimeoutMs
    return bounded(published, { timeoutMs, signal, onTimeout: () => outcomeUnknown(`notices were not confirmed within ${timeoutMs} ms`) })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#publisher.close()
  }

  /** One batch after another, until nothing waits: two at a time could overtake each other where one is tried again. */
  async #send(): Promise<void> {
    this.#isUnderWay = true
    while (this.#waiting.lines.length > 0) {
      const batch = this.#waiting
      this.#waiting = newBatch()
      this.#waitingBytes = 0
      try {
        await Promise.all(batchesOf(batch.lines).map((content) => this.#publishOne(content)))
        batch.settle()
      } catch (error) {
        batch.settle(error as Error)
      }
    }
    this.#isUnderWay = false
  }

  async #publishOne(content: Buffer): Promise<void> {
    // Nobody keeps notices, so nothing of them needs a disk, and it is no failure where nobody listens.
    await this.#publisher.publish({
      exchange: this.#exchange,
      routingKey: '',
      content,
      options: { persistent: false, contentType: 'application/json', headers: this.#sequence.next() },
    })
  }
}

const newBatch = (): Batch => {
  let settle = (_error?: Error): void => {}
  const published = new Promise<void>((resolve, reject) => (settle = (error) => (error === undefined ? resolve() : reject(error))))
  // Where everybody has stopped waiting.
  published.catch(() => {})
  return { lines: [], published, settle }
}
