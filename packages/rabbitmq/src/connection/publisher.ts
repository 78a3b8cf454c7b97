import type { ConfirmChannel, Message, Options } from 'amqplib'
import { IllegalOperationError } from 'amqplib'
import { closedError, onAbort, outcomeUnknown, TaskledgerError } from '@taskledger/core/ports'
import { settledWithin } from './bounded.ts'
import type { BrokerConnection } from './broker-connection.ts'
import { refusalOfOperation, textOf } from './refusals.ts'
import type { Settings } from './settings.ts'
import type { ChannelRole } from './supervised-channel.ts'
import { SupervisedChannel } from './supervised-channel.ts'

/** What is to be published. */
export interface OutgoingMessage {
  readonly exchange: string
  readonly routingKey: string
  readonly content: Buffer
  readonly options: Options.Publish
}

/** `returned`: the broker found no queue for it, and has dropped it. */
export type PublishOutcome = 'confirmed' | 'returned'

export interface PublishOptions {
  readonly signal?: AbortSignal | undefined
  /** How long it may take, all in all, in milliseconds. Default: `confirmTimeoutMs`. */
  readonly timeoutMs?: number
}

/** How many of the largest messages may be on their way to the broker unconfirmed, and how many may wait for that: it bounds the memory. */
const mostLargest = { unconfirmed: 2, waiting: 4 } as const

interface Posting {
  readonly message: OutgoingMessage
  readonly id: string
  isSent: boolean
  settle(outcome: PublishOutcome | Error): void
}

/**
 * Publishes on one channel, in order, with confirmations. What cannot go yet waits in line: while there is no connection,
 * while the broker is short of memory, while as many as may be are unconfirmed, while the socket takes no more.
 */
export class Publisher {
  readonly #connection: BrokerConnection
  readonly #settings: Settings
  readonly #channel: SupervisedChannel<ConfirmChannel>
  readonly #line = new Set<Posting>()
  readonly #open = new Set<Promise<unknown>>()
  readonly #returned = new Set<string>()
  #waitingBytes = 0
  #unconfirmed = 0
  #unconfirmedBytes = 0
  #socketIsFull = false
  #isClosed = false
  #count = 0
  /** The largest message that the broker takes, where it has told us by closing a channel. */
  #brokersLimit = Number.POSITIVE_INFINITY

  /** @param prepare Declares on a new channel what is published to. */
  constructor(
    name: string,
    connection: BrokerConnection,
    settings: Settings,
    prepare: (channel: ConfirmChannel) => Promise<unknown> = async () => {},
  ) {
    this.#connection = connection
    this.#settings = settings
    const role: ChannelRole<ConfirmChannel> = {
      name,
      open: (model) => model.createConfirmChannel(),
      setUp: async (channel) => {
        await prepare(channel)
        this.#socketIsFull = false
        channel.on('return', (message) => this.#noteReturned(message))
        channel.on('drain', () => {
          this.#socketIsFull = false
          this.#pump()
        })
      },
      ready: () => this.#pump(),
      lost: () => this.#failLineOfClosed(),
    }
    this.#channel = new SupervisedChannel(role, connection, settings.logger)
    connection.onChange(() => this.#pump())
  }

  /** Opens the channel. @throws `MISCONFIGURED` where the broker refuses it. */
  start(): Promise<void> {
    return this.#channel.start()
  }

  /**
   * Publishes, and resolves when the broker has confirmed.
   *
   * @throws `UNAVAILABLE` where it was not sent, `OUTCOME_UNKNOWN` where it was and nothing came back, `TOO_LARGE`,
   * `MISCONFIGURED`, `CLOSED`; the signal's reason.
   */
  publish(message: OutgoingMessage, { signal, timeoutMs = this.#settings.confirmTimeoutMs }: PublishOptions = {}): Promise<PublishOutcome> {
    if (this.#isClosed) return Promise.reject(closedError('the publisher'))
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error)
    const { length } = message.content
    if (timeoutMs <= 0) return Promise.reject(this.#notSent('there was no time left'))
    if (length > this.#brokersLimit) return Promise.reject(tooLarge(length, this.#brokersLimit))
    if (this.#waitingBytes + length > mostLargest.waiting * this.#settings.maxMessageBytes)
      return Promise.reject(this.#notSent('too much waits in line already'))
    const posted = new Promise<PublishOutcome>((resolve, reject) => this.#join(message, signal, timeoutMs, resolve, reject))
    this.#open.add(posted)
    const forget = (): void => void this.#open.delete(posted)
    posted.then(forget, forget)
    return posted
  }

  /** Waits for what is under way, where there is a connection, and closes the channel. Closing twice is fine. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#failLineOfClosed()
    await settledWithin(Promise.allSettled(this.#open), this.#settings.confirmTimeoutMs)
    await this.#channel.close()
  }

  #join(
    message: OutgoingMessage,
    signal: AbortSignal | undefined,
    timeoutMs: number,
    resolve: (outcome: PublishOutcome) => void,
    reject: (error: Error) => void,
  ): void {
    const onTimeout = (): void =>
      posting.settle(
        posting.isSent
          ? outcomeUnknown(`the broker did not confirm a message within ${Math.round(timeoutMs)} ms`)
          : this.#notSent(`it could not be sent within ${Math.round(timeoutMs)} ms`),
      )
    const timer = setTimeout(onTimeout, timeoutMs)
    const posting: Posting = {
      message,
      id: String(++this.#count),
      isSent: false,
      settle: (outcome) => {
        clearTimeout(timer)
        leave?.()
        this.#leaveLine(posting)
        if (outcome instanceof Error) reject(outcome)
        else resolve(outcome)
      },
    }
    const leave = signal && onAbort(signal, () => posting.settle(signal.reason as Error))
    this.#line.add(posting)
    this.#waitingBytes += message.content.length
    this.#pump()
  }

  #leaveLine(posting: Posting): void {
    if (this.#line.delete(posting)) this.#waitingBytes -= posting.message.content.length
  }

  /** Sends what may be sent now. */
  #pump(): void {
    const channel = this.#channel.current
    if (channel === undefined) return
    for (const posting of this.#line) {
      if (!this.#mayWrite(posting.message.content.length) || !this.#write(channel, posting)) return
    }
  }

  #mayWrite(bytes: number): boolean {
    if (this.#socketIsFull || this.#connection.blockedBecause !== undefined) return false
    if (this.#unconfirmed >= this.#settings.maxUnconfirmed) return false
    return this.#unconfirmed === 0 || this.#unconfirmedBytes + bytes <= mostLargest.unconfirmed * this.#settings.maxMessageBytes
  }

  /** Whether to go on. */
  #write(channel: ConfirmChannel, posting: Posting): boolean {
    const { exchange, routingKey, content, options } = posting.message
    try {
      const onAnswer = (error: unknown): void => this.#answered(posting, error)
      this.#socketIsFull = !channel.publish(exchange, routingKey, content, { ...options, messageId: posting.id }, onAnswer)
    } catch (error) {
      // The channel closes, which will be told in a moment: the message goes with the next one.
      if (error instanceof IllegalOperationError) return false
      posting.settle(error as Error)
      return true
    }
    posting.isSent = true
    this.#leaveLine(posting)
    this.#unconfirmed++
    this.#unconfirmedBytes += content.length
    return true
  }

  /** The broker has confirmed it, or has not and never will. Called once for each that was written. */
  #answered(posting: Posting, error: unknown): void {
    this.#unconfirmed--
    this.#unconfirmedBytes -= posting.message.content.length
    const isReturned = this.#returned.delete(posting.id)
    if (error === null || error === undefined) posting.settle(isReturned ? 'returned' : 'confirmed')
    else posting.settle(this.#failureOf(posting, error))
    this.#pump()
  }

  #failureOf({ message: { content, exchange, routingKey } }: Posting, error: unknown): Error {
    const { fault } = this.#channel
    const [, limit] = /max(?:imum)? size (?:of )?'?(\d+)/i.exec(textOf(fault)) ?? []
    if (limit !== undefined) {
      this.#brokersLimit = Number(limit)
      if (content.length > this.#brokersLimit) return tooLarge(content.length, this.#brokersLimit)
    }
    const refusal =
      fault instanceof Error && 'code' in fault && fault.code === 403
        ? refusalOfOperation(fault, `to publish to "${exchange}${routingKey}"`)
        : undefined
    return refusal ?? outcomeUnknown(`a message was not confirmed: ${textOf(fault ?? error)}`, fault ?? error)
  }

  #noteReturned({ properties: { messageId } }: Message): void {
    this.#returned.add(String(messageId))
  }

  /** Nobody is there to send what waits, once this is closed and the channel is gone. */
  #failLineOfClosed(): void {
    this.#returned.clear()
    if (!this.#isClosed || this.#channel.current !== undefined) return
    for (const posting of this.#line) posting.settle(closedError('the publisher'))
  }

  #notSent(why: string): TaskledgerError<'UNAVAILABLE'> {
    return new TaskledgerError('UNAVAILABLE', `a message was not sent: ${why}; ${this.#connection.state}`)
  }
}

const tooLarge = (bytes: number, limit: number): TaskledgerError<'TOO_LARGE'> =>
  new TaskledgerError('TOO_LARGE', `a message of ${bytes} bytes is over the limit of ${limit} bytes`)
