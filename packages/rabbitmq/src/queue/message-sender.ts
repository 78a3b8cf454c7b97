import type { Message } from 'amqplib'
import { encodeMessage } from '@taskledger/core/codec'
import type { Logger, ReleaseOptions, WorkMessage } from '@taskledger/core/ports'
import { codeOf, TaskledgerError, unavailable } from '@taskledger/core/ports'
import { BackOff, pause } from '../connection/back-off.ts'
import type { BrokerConnection } from '../connection/broker-connection.ts'
import type { Publisher } from '../connection/publisher.ts'
import type { Settings } from '../connection/settings.ts'
import type { BrokerQueues, DeclareBound } from '../topology/broker-queues.ts'
import type { BrokerMessage } from './broker-message.ts'
import { headersOfDeath, releasesHeader, releasesOf } from './death.ts'

/** After this many messages that came back because their queue was deleted, a send gives up. */
const maxReturns = 3

/** How long a broker takes to clean up a deleted queue, in milliseconds. */
const cleanUpMs = 250

/** Do not retry with less time left than this, in milliseconds. */
const minRetryMs = 100

/** Declares the target queue of a message. Returns its name. */
type Declare = (bound: DeclareBound) => Promise<string>

/** What a message sender is made of. */
interface MessageSenderParts {
  readonly connection: BrokerConnection
  readonly brokerQueues: BrokerQueues
  readonly publisher: Publisher
  readonly settings: Settings
}

/** Sends messages to queues: new messages, released ones, dead letters and tokens. */
export class MessageSender {
  readonly #connection: BrokerConnection
  readonly #brokerQueues: BrokerQueues
  readonly #publisher: Publisher
  readonly #settings: Settings

  constructor({ connection, brokerQueues, publisher, settings }: MessageSenderParts) {
    this.#connection = connection
    this.#brokerQueues = brokerQueues
    this.#publisher = publisher
    this.#settings = settings
  }

  get logger(): Logger {
    return this.#settings.logger
  }

  /** Sends a new message. @throws like `send` of the port. */
  async send(queue: string, message: WorkMessage, signal: AbortSignal | undefined): Promise<void> {
    const content = Buffer.from(encodeMessage(message))
    const { maxMessageBytes } = this.#settings
    if (content.length > maxMessageBytes)
      throw new TaskledgerError(
        'TOO_LARGE',
        `the message of task ${message.taskId} has ${content.length} bytes: maxMessageBytes allows ${maxMessageBytes}`,
      )
    const options = { contentType: 'application/json', correlationId: message.taskId }
    await this.#send((bound) => this.#brokerQueues.work(this.#connection, queue, bound), content, options, signal)
  }

  /** Sends a copy to the end of the queue, or to a delay queue, with one more release if it counts. */
  async release(queue: string, { raw, lost }: BrokerMessage, { delayMs, isCounted }: Required<ReleaseOptions>): Promise<void> {
    const options = { ...keptOf(raw.properties), headers: { [releasesHeader]: releasesOf(raw) + (isCounted ? 1 : 0) } }
    const declare: Declare = async (bound) => {
      const work = await this.#brokerQueues.work(this.#connection, queue, bound)
      return delayMs > 0 ? this.#brokerQueues.delay(this.#connection, queue, delayMs, bound) : work
    }
    await this.#send(declare, raw.content, options, lost)
  }

  /** Sends a copy to the dead letters, with the reason. */
  async deadLetter(queue: string, { raw, lost }: BrokerMessage, why: string): Promise<void> {
    const options = { ...keptOf(raw.properties), headers: headersOfDeath(raw, why) }
    const declare: Declare = async (bound) => {
      await this.#brokerQueues.work(this.#connection, queue, bound)
      return this.#brokerQueues.names.dead(queue)
    }
    await this.#send(declare, raw.content, options, lost)
  }

  /** Sends a copy of a dead letter to its queue, as if it were new. @throws like `send` of the port. */
  async resend(queue: string, raw: Pick<Message, 'content' | 'properties'>, signal: AbortSignal | undefined): Promise<void> {
    await this.#send((bound) => this.#brokerQueues.work(this.#connection, queue, bound), raw.content, keptOf(raw.properties), signal)
  }

  /** Sends one more token to the token queue of a serial queue. */
  async sendToken(queue: string): Promise<void> {
    const content = Buffer.from('the holder of this message may take from the queue')
    await this.#send(() => this.#brokerQueues.tokens(this.#connection, queue), content, {})
  }

  /** All steps share one timeout. The steps before the message is sent have no effect on it, so they are retried. */
  async #send(declare: Declare, content: Buffer, options: object, signal?: AbortSignal): Promise<void> {
    const deadline = performance.now() + this.#settings.confirmTimeoutMs
    const bound = (): { readonly signal: AbortSignal | undefined; readonly timeoutMs: number } => ({
      signal,
      timeoutMs: deadline - performance.now(),
    })
    for (let returns = 0; returns < maxReturns; returns++) {
      const routingKey = await this.#declared(declare, bound)
      const message = { exchange: '', routingKey, content, options: { ...options, persistent: true, mandatory: true } }
      const outcome = await this.#publisher.publish(message, bound())
      if (outcome === 'confirmed') return
      // Logged once for all messages that were on their way to the deleted queue.
      if (this.#brokerQueues.forget(this.#connection))
        this.#settings.logger.warn({ queue: routingKey }, 'declaring a queue again: it was deleted')
      // Declared again too soon, a quorum queue of RabbitMQ 3.10 keeps the consumers of the deleted queue, which then receive nothing.
      await pause(cleanUpMs, signal)
      if (bound().timeoutMs < minRetryMs) break
    }
    throw unavailable('a message was not sent: its queue was deleted repeatedly; check what deletes it')
  }

  /** The name of the target queue, once it is declared. Waits for a new connection when the connection is lost. */
  async #declared(declare: Declare, bound: () => DeclareBound): Promise<string> {
    const backOff = new BackOff()
    for (;;) {
      try {
        return await declare(bound())
      } catch (error) {
        const { signal = neverAborted, timeoutMs = 0 } = bound()
        if (signal.aborted || codeOf(error) !== 'UNAVAILABLE' || timeoutMs < minRetryMs) throw error
        await backOff.pause(signal)
      }
    }
  }
}

/** The maximum length of a property in AMQP, in bytes. */
const maxPropertyBytes = 255

/** The properties that a copy of a message keeps. Bytes that are not UTF-8 grow when they are decoded, so they may no longer fit. */
export const keptOf = (properties: {
  readonly contentType?: unknown
  readonly correlationId?: unknown
}): { readonly contentType?: string; readonly correlationId?: string } => {
  const { contentType, correlationId } = properties
  return {
    ...(fits(contentType) ? { contentType } : {}),
    ...(fits(correlationId) ? { correlationId } : {}),
  }
}

const fits = (value: unknown): value is string => typeof value === 'string' && Buffer.byteLength(value) <= maxPropertyBytes

const neverAborted = new AbortController().signal
