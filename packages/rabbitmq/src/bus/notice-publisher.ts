import { closedError, outcomeUnknown, unavailable, within } from '@taskledger/core/ports'
import type { BrokerConnection } from '../connection/broker-connection.ts'
import { Publisher } from '../connection/publisher.ts'
import type { Settings } from '../connection/settings.ts'
import { batchesOf } from './notice-batches.ts'
import type { NoticeSequence } from './notice-sequence.ts'

/** How many bytes may wait while a batch is being published. */
const maxWaitingBytes = 16 * 1024 * 1024

/** The notices that wait for the next publish, and its outcome. */
interface Batch {
  readonly lines: Buffer[]
  readonly published: Promise<void>
  settle(error?: Error): void
}

/** What a publisher of notices is made of. */
interface NoticePublisherParts {
  readonly exchange: string
  readonly connection: BrokerConnection
  readonly settings: Settings
  readonly sequence: NoticeSequence
}

/** Publishes notices in batches, without a timer: notices that come while a batch is being published form the next batch. */
export class NoticePublisher {
  readonly #exchange: string
  readonly #settings: Settings
  readonly #sequence: NoticeSequence
  readonly #publisher: Publisher
  #waiting = newBatch()
  #waitingBytes = 0
  #isPublishing = false
  #isClosed = false

  constructor({ exchange, connection, settings, sequence }: NoticePublisherParts) {
    this.#exchange = exchange
    this.#settings = settings
    this.#sequence = sequence
    this.#publisher = new Publisher({
      name: 'publisher of notices',
      connection,
      settings,
      prepare: (channel) => channel.assertExchange(exchange, 'fanout', { durable: true }),
    })
  }

  start(): Promise<void> {
    return this.#publisher.start()
  }

  /** Resolves when the broker has confirmed the lines. @throws like `publish` of the port. */
  publish(lines: readonly Buffer[], signal: AbortSignal | undefined): Promise<void> {
    if (this.#isClosed) return Promise.reject(closedError('the event bus'))
    if (this.#waitingBytes > maxWaitingBytes) return Promise.reject(unavailable('notices were not sent: too many wait already'))
    this.#waiting.lines.push(...lines)
    for (const { length } of lines) this.#waitingBytes += length
    const { published } = this.#waiting
    if (!this.#isPublishing) void this.#publishWaiting()
    const timeoutMs = 2 * this.#settings.confirmTimeoutMs
    return within(published, {
      timeoutMs,
      signal,
      onTimeout: () => {
        throw outcomeUnknown(`notices were not confirmed within ${timeoutMs} ms`)
      },
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#publisher.close()
  }

  /** Publishes one batch after another until no notice waits. If two were under way, a later notice could overtake an earlier one. */
  async #publishWaiting(): Promise<void> {
    this.#isPublishing = true
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
    this.#isPublishing = false
  }

  async #publishOne(content: Buffer): Promise<void> {
    // Notices are not stored, so they need no disk, and a notice without a listener is no failure.
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
  // Every caller may have stopped waiting.
  published.catch(() => {})
  return { lines: [], published, settle }
}
