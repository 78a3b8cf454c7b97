import type { ConsumeMessage } from 'amqplib'
import { encodeMessage } from '@taskledger/core/codec'
import type { Logger, WorkMessage } from '@taskledger/core/ports'
import { codeOf, TaskledgerError } from '@taskledger/core/ports'
import { BackOff } from '../connection/back-off.ts'
import { pause } from '../connection/pause.ts'
import type { BrokerConnection } from '../connection/broker-connection.ts'
import type { Publisher } from '../connection/publisher.ts'
import type { Settings } from '../connection/settings.ts'
import type { DeclareBound, BrokerQueues } from '../topology/broker-queues.ts'

/** How often the message was released: a queue of the broker counts deliveries, not releases. */
const releasesHeader = 'taskledger-releases'
/** Why it stands with the dead letters. */
const reasonHeader = 'taskledger-reason'

/** Headers have to fit into one frame of 8 KiB at the least, whatever the alphabet. */
const longestReason = 1_500

/** How often a queue may turn out to be gone before a send gives up. */
const mostReturns = 3

/** How long a broker takes to be done with a queue that was deleted, in milliseconds. */
const settlingMs = 250

/** With less time than this left, another try is none. In milliseconds. */
const shortestRetryMs = 100

/** How often the message was released before, as its sender wrote it. */
export const releasesOf = ({ properties: { headers } }: ConsumeMessage): number => {
  const releases: unknown = headers?.[releasesHeader]
  return typeof releases === 'number' && Number.isSafeInteger(releases) && releases > 0 ? releases : 0
}

/** Puts messages into queues: new ones, those that are released, those that nobody can use. */
export class MessageSender {
  readonly #connection: BrokerConnection
  readonly #brokerQueues: BrokerQueues
  readonly #publisher: Publisher
  readonly #settings: Settings

  constructor(connection: BrokerConnection, brokerQueues: BrokerQueues, publisher: Publisher, settings: Settings) {
    this.#connection = connection
    this.#brokerQueues = brokerQueues
    this.#publisher = publisher
    this.#settings = settings
  }

  /** Sends a message. @throws what a `send` does. */
  async send(queue: string, message: WorkMessage, signal: AbortSignal | undefined): Promise<void> {
    const content = Buffer.from(encodeMessage(message))
    const { maxMessageBytes } = this.#settings
    if (content.length > maxMessageBytes)
      throw new TaskledgerError(
        'TOO_LARGE',
        `the message of task ${message.taskId} has ${content.length} bytes; maxMessageBytes is ${maxMessageBytes}`,
      )
    const options = { contentType: 'application/json', correlationId: message.taskId }
    await this.#post((bound) => this.#brokerQueues.work(this.#connection, queue, bound), content, options, signal)
  }

  /** Puts a copy at the back of the queue, or where it waits for its time. */
  async release(queue: string, raw: ConsumeMessage, delayMs: number): Promise<void> {
    const { contentType, correlationId } = raw.properties
    const options = { contentType, correlationId, headers: { [releasesHeader]: releasesOf(raw) + 1 } }
    const declare: Declare = async (bound) => {
      const work = await this.#brokerQueues.work(this.#connection, queue, bound)
      return delayMs > 0 ? this.#brokerQueues.delay(this.#connection, queue, delayMs, bound) : work
    }
    await this.#post(declare, raw.content, options, undefined)
  }

  /** Puts a copy with the dead letters, and the reason with it. */
  async bury(queue: string, raw: ConsumeMessage, why: string): Promise<void> {
    const { contentType, correlationId } = raw.properties
    const options = {
      contentType,
      correlationId,
      headers: { [reasonHeader]: why.slice(0, longestReason), [releasesHeader]: releasesOf(raw) },
    }
    const declare: Declare = async (bound) => {
      await this.#brokerQueues.work(this.#connection, queue, bound)
      return this.#brokerQueues.names.dead(queue)
    }
    await this.#post(declare, raw.content, options, undefined)
  }

  /** Puts one more token into a gate. */
  async token(queue: string): Promise<void> {
    await this.#post(
      () => this.#brokerQueues.gate(this.#connection, queue),
      Buffer.from('the holder of this message may take from the queue'),
      {},
      undefined,
    )
  }

  get logger(): Logger {
    return this.#settings.logger
  }

  /** Bounded as a whole. Until the message is on its way nothing has happened, so that what fails may be tried again. */
  async #post(declare: Declare, content: Buffer, options: object, signal: AbortSignal | undefined): Promise<void> {
    const until = performance.now() + this.#settings.confirmTimeoutMs
    const bound = (): { readonly signal: AbortSignal | undefined; readonly timeoutMs: number } => ({
      signal,
      timeoutMs: until - performance.now(),
    })
    for (let returns = 0; returns < mostReturns; returns++) {
      const routingKey = await this.#declared(declare, bound)
      const message = { exchange: '', routingKey, content, options: { ...options, persistent: true, mandatory: true } }
      const outcome = await this.#publisher.publish(message, bound())
      if (outcome === 'confirmed') return
      // Once for all that were under way to it.
      if (this.#brokerQueues.forget(this.#connection))
        this.#settings.logger.warn({ queue: routingKey }, 'a queue was deleted: declaring it again')
      // Declared anew too soon, a quorum queue of RabbitMQ 3.10 keeps the consumers of its predecessor, which hear nothing of it.
      await pause(settlingMs, signal)
      if (bound().timeoutMs < shortestRetryMs) break
    }
    throw new TaskledgerError('UNAVAILABLE', 'a message was not sent: its queue is deleted again and again')
  }

  /** The name of the queue, once it is there. A connection that is lost meanwhile is waited for. */
  async #declared(declare: Declare, bound: () => DeclareBound): Promise<string> {
    const backOff = new BackOff()
    for (;;) {
      try {
        return await declare(bound())
      } catch (error) {
        const { signal = neverAborted, timeoutMs = 0 } = bound()
        if (signal.aborted || codeOf(error) !== 'UNAVAILABLE' || timeoutMs < shortestRetryMs) throw error
        await backOff.pause(signal)
      }
    }
  }
}

type Declare = (bound: DeclareBound) => Promise<string>

const neverAborted = new AbortController().signal
