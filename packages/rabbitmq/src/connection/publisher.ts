import type { ConfirmChannel, Message } from 'amqplib'
import { IllegalOperationError } from 'amqplib'
import { closedError, outcomeUnknown, TaskledgerError, unavailable, within } from '@taskledger/core/ports'
import type { BrokerConnection } from './broker-connection.ts'
import type { OutgoingMessage, PublishOutcome } from './pending-publish.ts'
import { PendingPublish } from './pending-publish.ts'
import { explained, isDenied, messageLimitOf } from './closes.ts'
import { isRefusal, textOf } from './refusals.ts'
import type { Settings } from './settings.ts'
import { SupervisedChannel } from './supervised-channel.ts'
import { Unconfirmed } from './unconfirmed.ts'

export interface PublishOptions {
  readonly signal?: AbortSignal | undefined
  /** How long the whole call may take, in milliseconds. Default: `confirmTimeoutMs`. */
  readonly timeoutMs?: number
}

/** What a publisher is made of. */
interface PublisherParts {
  /** For the log and for errors. */
  readonly name: string
  readonly connection: BrokerConnection
  readonly settings: Settings
  /** Declares the exchange on a new channel. */
  prepare?(channel: ConfirmChannel): Promise<unknown>
}

/** The maximum of bytes that wait to be sent, in messages of the maximum size: it bounds the memory. */
const maxLargestWaiting = 4

/**
 * Publishes on one channel, in order, with confirmations. A message waits while there is no connection, while the broker blocks
 * publishers, while `maxUnconfirmed` messages are unconfirmed, and while the socket is full.
 */
export class Publisher {
  readonly #connection: BrokerConnection
  readonly #settings: Settings
  readonly #channel: SupervisedChannel<ConfirmChannel>
  readonly #unconfirmed: Unconfirmed
  /** The messages that were not sent yet, in order. */
  readonly #waiting = new Set<PendingPublish>()
  #waitingBytes = 0
  /** The calls that have not ended. */
  readonly #calls = new Set<Promise<unknown>>()
  /** The ids of the messages that the broker returned: their confirmations follow. */
  readonly #returned = new Set<string>()
  #isSocketFull = false
  #isClosed = false
  #count = 0
  /** The broker's own limit of a message, once the broker has closed a channel because of it. */
  #brokerMaxBytes = Number.POSITIVE_INFINITY

  constructor({ name, connection, settings, prepare }: PublisherParts) {
    this.#connection = connection
    this.#settings = settings
    this.#unconfirmed = new Unconfirmed(settings)
    this.#channel = new SupervisedChannel<ConfirmChannel>({
      role: {
        name,
        open: (model) => model.createConfirmChannel(),
        setUp: async (channel) => {
          await prepare?.(channel)
          this.#isSocketFull = false
          channel.on('return', (message) => this.#noteReturned(message))
          channel.on('drain', () => {
            this.#isSocketFull = false
            this.#sendWaiting()
          })
        },
        onReady: () => this.#sendWaiting(),
        onLost: () => this.#failWaitingOnceClosed(),
      },
      connection,
      logger: settings.logger,
    })
    connection.onChange(() => this.#sendWaiting())
  }

  /** Opens the channel. @throws `MISCONFIGURED` where the broker refuses it. */
  start(): Promise<void> {
    return this.#channel.start()
  }

  /**
   * Publishes, and resolves when the broker has confirmed.
   *
   * @throws `UNAVAILABLE` where the message was not sent, `OUTCOME_UNKNOWN` where it was sent and no answer came, `TOO_LARGE`,
   * `MISCONFIGURED`, `CLOSED`; the signal's reason.
   */
  publish(message: OutgoingMessage, { signal, timeoutMs = this.#settings.confirmTimeoutMs }: PublishOptions = {}): Promise<PublishOutcome> {
    if (this.#isClosed) return Promise.reject(closedError('the publisher'))
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error)
    const { length } = message.content
    if (timeoutMs <= 0) return Promise.reject(this.#notSent('no time was left'))
    if (length > this.#brokerMaxBytes) return Promise.reject(tooLarge(length, this.#brokerMaxBytes))
    if (this.#waitingBytes + length > maxLargestWaiting * this.#settings.maxMessageBytes)
      return Promise.reject(this.#notSent('too many bytes wait already'))
    const pending = new PendingPublish(message, String(++this.#count), signal)
    this.#waiting.add(pending)
    this.#waitingBytes += length
    const call = within(pending.answered, {
      timeoutMs,
      signal,
      onTimeout: () => {
        throw this.#timeoutOf(pending, timeoutMs)
      },
    })
    this.#calls.add(call)
    const end = (): void => {
      pending.isOver = true
      this.#leaveWaiting(pending)
      this.#calls.delete(call)
    }
    call.then(end, end)
    this.#sendWaiting()
    return call
  }

  /** Waits for the calls that have not ended, if there is a connection, and closes the channel. Closing twice is fine. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#failWaitingOnceClosed()
    const ended = Promise.allSettled(this.#calls).then(() => {})
    await within(ended, { timeoutMs: this.#settings.confirmTimeoutMs, onTimeout: () => undefined })
    await this.#channel.close()
  }

  #leaveWaiting(pending: PendingPublish): void {
    if (this.#waiting.delete(pending)) this.#waitingBytes -= pending.bytes
  }

  #sendWaiting(): void {
    const channel = this.#channel.current
    if (channel === undefined) return
    for (const pending of this.#waiting) {
      if (pending.signal?.aborted === true) continue
      if (!this.#maySend(pending.bytes) || !this.#send(channel, pending)) return
    }
  }

  #maySend(bytes: number): boolean {
    return !this.#isSocketFull && this.#connection.blockedBecause === undefined && this.#unconfirmed.hasRoomFor(bytes)
  }

  /** Whether further messages may follow. */
  #send(channel: ConfirmChannel, pending: PendingPublish): boolean {
    const { exchange, routingKey, content, options } = pending.message
    try {
      const onAnswer = (error: unknown): void => this.#onAnswer(pending, error)
      this.#isSocketFull = !channel.publish(exchange, routingKey, content, { ...options, messageId: pending.id }, onAnswer)
    } catch (error) {
      // The channel is closing: the message goes with the next channel.
      if (error instanceof IllegalOperationError) return false
      this.#leaveWaiting(pending)
      pending.settle(error as Error)
      return true
    }
    pending.isSent = true
    this.#leaveWaiting(pending)
    this.#unconfirmed.add(pending.bytes)
    return true
  }

  /** Called once for each message that was sent: with the broker's answer, or when its channel is lost. */
  #onAnswer(pending: PendingPublish, error: unknown): void {
    this.#unconfirmed.remove(pending.bytes)
    const isReturned = this.#returned.delete(pending.id)
    if (error === null || error === undefined) pending.settle(isReturned ? 'returned' : 'confirmed')
    else if (isNack(error)) void this.#publishAgain(pending)
    else pending.settle(this.#failureOf(pending, error))
    this.#sendWaiting()
  }

  #failureOf({ bytes, message: { exchange, routingKey } }: PendingPublish, error: unknown): Error {
    const fault = this.#channel.fault ?? error
    const limit = messageLimitOf(fault)
    if (limit !== undefined) {
      this.#brokerMaxBytes = limit
      if (bytes > limit) return tooLarge(bytes, limit)
    }
    const explanation = explained(fault, `a publish to "${exchange}${routingKey}"`)
    if (isRefusal(explanation) && isDenied(fault)) return explanation
    return outcomeUnknown(`a message was not confirmed: ${textOf(explanation)}`, fault)
  }

  /**
   * A broker refuses a message (nack) that it could not put into every queue, for example because the client of one of them is just
   * leaving. Such a failure passes, so the message is published again, until its call ends.
   */
  async #publishAgain(pending: PendingPublish): Promise<void> {
    const { exchange, routingKey } = pending.message
    this.#settings.logger.debug({ exchange, routingKey }, 'publishing a message again: the broker refused it')
    await pending.waitAfterRefusal()
    if (pending.isOver) return
    this.#waiting.add(pending)
    this.#waitingBytes += pending.bytes
    this.#failWaitingOnceClosed()
    this.#sendWaiting()
  }

  #noteReturned({ properties: { messageId } }: Message): void {
    this.#returned.add(String(messageId))
  }

  /** Once this is closed and the channel is gone, waiting messages can no longer be sent. */
  #failWaitingOnceClosed(): void {
    this.#returned.clear()
    if (!this.#isClosed || this.#channel.current !== undefined) return
    for (const pending of this.#waiting) pending.settle(closedError('the publisher'))
  }

  #timeoutOf(pending: PendingPublish, timeoutMs: number): Error {
    const ms = Math.round(timeoutMs)
    return pending.isSent
      ? outcomeUnknown(`the broker did not confirm a message within ${ms} ms, and refused it ${pending.refusals} times`)
      : this.#notSent(`it could not be sent within ${ms} ms`)
  }

  #notSent(why: string): TaskledgerError<'UNAVAILABLE'> {
    return unavailable(`a message was not sent: ${why}; ${this.#connection.state}`)
  }
}

const tooLarge = (bytes: number, maxBytes: number): TaskledgerError<'TOO_LARGE'> =>
  new TaskledgerError('TOO_LARGE', `a message has ${bytes} bytes: the broker accepts at most ${maxBytes}`)

/** Whether the broker has refused the message itself. amqplib gives no code; after a lost channel its text is "channel closed". */
const isNack = (error: unknown): boolean => error instanceof Error && error.message === 'message nacked'
