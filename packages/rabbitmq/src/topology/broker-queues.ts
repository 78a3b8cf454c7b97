import type { ChannelModel } from 'amqplib'
import { TaskledgerError } from '@taskledger/core/ports'
import { bounded } from '../connection/bounded.ts'
import type { BrokerConnection } from '../connection/broker-connection.ts'
import { roundedDelayMs } from './delays.ts'
import { Names } from './names.ts'
import { refusalOfOperation, textOf } from '../connection/refusals.ts'
import type { Settings } from '../connection/settings.ts'

/** How long to wait. Default: `confirmTimeoutMs`. */
export interface DeclareBound {
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number
}

type Arguments = Readonly<Record<string, string | number | boolean>>

/** A token goes back into its queue each time that a holder of the right is lost: that must never use it up. */
const neverMind = 1_000_000_000

/**
 * Declares queues where they are first named, and again after each reconnection: they may have been deleted meanwhile.
 *
 * The arguments are those that every broker from 3.10 to 4.x understands in the same way. `x-consumer-timeout` is not among
 * them: old brokers ignore it, new ones refuse it, and it could not be changed later. A queue that exists with others is an
 * error for people; it is never deleted here.
 */
export class BrokerQueues {
  readonly names: Names
  readonly #settings: Settings
  /** What is known to be there, by connection. */
  readonly #standing = new WeakMap<ChannelModel, Set<string>>()
  /** What is being declared, for those who come meanwhile. */
  readonly #underWay = new WeakMap<ChannelModel, Map<string, Promise<void>>>()

  constructor(settings: Settings) {
    this.names = new Names(settings.prefix)
    this.#settings = settings
  }

  /** The work queue and its dead letters. Gives the name of the former. */
  async work(connection: BrokerConnection, queue: string, bound: DeclareBound = {}): Promise<string> {
    const { deliveryLimit, queueType } = this.#settings
    const [name, dead] = [this.names.work(queue), this.names.dead(queue)]
    // The dead letters come first: what the broker finds no queue for it drops.
    await this.#declare(connection, dead, this.#limited(neverMind), bound)
    const deadLetters = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': dead }
    await this.#declare(
      connection,
      name,
      queueType === 'classic' ? deadLetters : { ...this.#limited(deliveryLimit), ...deadLetters },
      bound,
    )
    return name
  }

  /**
   * How many messages of a work queue were handed to nobody; 0 where it is not there. Asked passively, so that asking makes no
   * queue.
   */
  async depth(
    connection: BrokerConnection,
    queue: string,
    { signal, timeoutMs = this.#settings.confirmTimeoutMs }: DeclareBound = {},
  ): Promise<number> {
    const name = this.names.work(queue)
    const waiting = new AbortController()
    try {
      return await bounded(this.#countWhenOpen(connection, name, waiting.signal), {
        timeoutMs,
        signal,
        onTimeout: () =>
          new TaskledgerError(
            'UNAVAILABLE',
            `the queue "${name}" could not be asked for its depth within ${Math.round(timeoutMs)} ms: ${connection.state}`,
          ),
      })
    } finally {
      waiting.abort()
    }
  }

  /** A queue from which messages go back into the work queue when their time has come. Gives its name. */
  async delay(connection: BrokerConnection, queue: string, delayMs: number, bound: DeclareBound = {}): Promise<string> {
    const roundedMs = roundedDelayMs(delayMs)
    const name = this.names.delay(queue, roundedMs)
    const back = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': this.names.work(queue), 'x-message-ttl': roundedMs }
    await this.#declare(connection, name, { ...this.#limited(neverMind), ...back }, bound)
    return name
  }

  /** The queue of which one consumer among all is served. Gives its name. */
  async gate(connection: BrokerConnection, queue: string, bound: DeclareBound = {}): Promise<string> {
    const name = this.names.gate(queue)
    await this.#declare(connection, name, { ...this.#limited(neverMind), 'x-single-active-consumer': true }, bound)
    return name
  }

  /** A queue turned out not to be there: whoever deleted it may have deleted others. Whether this is news. */
  forget(connection: BrokerConnection): boolean {
    return connection.model !== undefined && this.#standing.delete(connection.model)
  }

  #limited(deliveryLimit: number): Arguments {
    return this.#settings.queueType === 'classic' ? {} : { 'x-queue-type': 'quorum', 'x-delivery-limit': deliveryLimit }
  }

  async #declare(
    connection: BrokerConnection,
    name: string,
    args: Arguments,
    { signal, timeoutMs = this.#settings.confirmTimeoutMs }: DeclareBound,
  ): Promise<void> {
    if (connection.model !== undefined && this.#standing.get(connection.model)?.has(name) === true) return
    const waiting = new AbortController()
    try {
      await bounded(this.#declareWhenOpen(connection, name, args, waiting.signal), {
        timeoutMs,
        signal,
        onTimeout: () =>
          new TaskledgerError(
            'UNAVAILABLE',
            `the queue "${name}" could not be declared within ${Math.round(timeoutMs)} ms: ${connection.state}`,
          ),
      })
    } finally {
      // Nothing is to wait for a connection on behalf of somebody who has gone.
      waiting.abort()
    }
  }

  /** On a channel of its own, which a queue that is missing closes. */
  async #countWhenOpen(connection: BrokerConnection, name: string, signal: AbortSignal): Promise<number> {
    try {
      const channel = await (await connection.whenOpen(signal)).createChannel()
      channel.on('error', () => {})
      const { messageCount } = await channel.checkQueue(name)
      channel.close().catch(() => {})
      return messageCount
    } catch (error) {
      if (isMissing(error)) return 0
      const refusal = refusalOfOperation(error, `the queue "${name}"`)
      throw (
        refusal ??
        new TaskledgerError('UNAVAILABLE', `the queue "${name}" could not be asked for its depth: ${textOf(error)}`, { cause: error })
      )
    }
  }

  async #declareWhenOpen(connection: BrokerConnection, name: string, args: Arguments, signal: AbortSignal): Promise<void> {
    await this.#declareOnce(await connection.whenOpen(signal), name, args)
  }

  #declareOnce(model: ChannelModel, name: string, args: Arguments): Promise<void> {
    const underWay = this.#underWay.get(model) ?? new Map<string, Promise<void>>()
    this.#underWay.set(model, underWay)
    const known = underWay.get(name)
    if (known !== undefined) return known
    const declaring = this.#declareNow(model, name, args).finally(() => underWay.delete(name))
    underWay.set(name, declaring)
    return declaring
  }

  /** On a channel of its own, which a refusal closes. */
  async #declareNow(model: ChannelModel, name: string, args: Arguments): Promise<void> {
    try {
      const channel = await model.createChannel()
      channel.on('error', () => {})
      await channel.assertQueue(name, { durable: true, arguments: args })
      // Nobody waits for the goodbye, which has no answer where the connection dies meanwhile.
      channel.close().catch(() => {})
    } catch (error) {
      const refusal = refusalOfOperation(error, `the queue "${name}"`)
      throw refusal ?? new TaskledgerError('UNAVAILABLE', `the queue "${name}" could not be declared: ${textOf(error)}`, { cause: error })
    }
    const standing = this.#standing.get(model) ?? new Set<string>()
    this.#standing.set(model, standing.add(name))
    this.#settings.logger.debug({ queue: name }, 'declared a queue')
  }
}

/** Whether the broker said 404: there is no such queue. */
const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 404
