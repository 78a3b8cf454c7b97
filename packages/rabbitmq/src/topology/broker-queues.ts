import { unavailable } from '@taskledger/core/ports'
import type { BrokerConnection } from '../connection/broker-connection.ts'
import { refusalOfOperation } from '../connection/closes.ts'
import { textOf } from '../connection/refusals.ts'
import type { Settings } from '../connection/settings.ts'
import type { QueueArguments } from './declarations.ts'
import { Declarations } from './declarations.ts'
import { roundedDelayMs } from './delays.ts'
import { Names } from './names.ts'
import type { RequestBound } from './requests.ts'
import { onOwnChannel, requestWhenOpen } from './requests.ts'

/** The bound of a declaration. Default of the timeout: `confirmTimeoutMs`. */
export type DeclareBound = Partial<RequestBound>

/** For queues that must not dead-letter: a token, for example, counts as a failed delivery each time its holder is lost. */
const unreachableDeliveryLimit = 1_000_000_000

/**
 * Declares the queues at the broker when they are first used.
 *
 * Their arguments mean the same to every broker from 3.10 to 4.x. `x-consumer-timeout` is not among them: old brokers ignore it,
 * new ones refuse it, and it could not be changed later. A queue that exists with other arguments is an error; this code never
 * deletes a queue.
 */
export class BrokerQueues {
  readonly names: Names
  readonly #settings: Settings
  readonly #declarations: Declarations

  constructor(settings: Settings) {
    this.names = new Names(settings.prefix)
    this.#settings = settings
    this.#declarations = new Declarations(settings.logger)
  }

  /** Declares a work queue and its dead letters. Returns the name of the work queue. */
  async work(connection: BrokerConnection, queue: string, bound: DeclareBound = {}): Promise<string> {
    const { deliveryLimit, queueType } = this.#settings
    const [name, dead] = [this.names.work(queue), this.names.dead(queue)]
    // The dead letters first: without their queue the broker would drop a dead letter.
    await this.#declare(connection, dead, this.#withLimit(unreachableDeliveryLimit), bound)
    const deadLetters = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': dead }
    const args = queueType === 'classic' ? deadLetters : { ...this.#withLimit(deliveryLimit), ...deadLetters }
    await this.#declare(connection, name, args, bound)
    return name
  }

  /** Declares a queue from which messages return to the work queue after the delay. Returns its name. */
  async delay(connection: BrokerConnection, queue: string, delayMs: number, bound: DeclareBound = {}): Promise<string> {
    const roundedMs = roundedDelayMs(delayMs)
    const name = this.names.delay(queue, roundedMs)
    const back = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': this.names.work(queue), 'x-message-ttl': roundedMs }
    await this.#declare(connection, name, { ...this.#withLimit(unreachableDeliveryLimit), ...back }, bound)
    return name
  }

  /** Declares the token queue of a serial queue, of which the broker serves one consumer at a time. Returns its name. */
  async tokens(connection: BrokerConnection, queue: string, bound: DeclareBound = {}): Promise<string> {
    const name = this.names.tokens(queue)
    await this.#declare(connection, name, { ...this.#withLimit(unreachableDeliveryLimit), 'x-single-active-consumer': true }, bound)
    return name
  }

  /**
   * How many messages of a work queue wait for a consumer; 0 without such a queue, which is not created. An existing queue is declared,
   * so that a node which only submits and probes its queues learns of other arguments before it sends.
   *
   * @throws `MISCONFIGURED` where the queue has other arguments.
   */
  async depth(connection: BrokerConnection, queue: string, signal: AbortSignal | undefined): Promise<number> {
    const name = this.names.work(queue)
    const failure = `could not read the depth of the queue "${name}"`
    const bound = { signal, timeoutMs: this.#settings.confirmTimeoutMs }
    return requestWhenOpen(connection, failure, bound, async (model) => {
      try {
        const { messageCount } = await onOwnChannel(model, (channel) => channel.checkQueue(name))
        await this.work(connection, queue, bound)
        return messageCount
      } catch (error) {
        if (isNotFound(error)) return 0
        const refusal = refusalOfOperation(error, `the queue "${name}"`)
        throw refusal ?? unavailable(`${failure}: ${textOf(error)}`, error)
      }
    })
  }

  /** Forgets which queues were declared on the connection, because one of them is missing. Returns whether there were any. */
  forget(connection: BrokerConnection): boolean {
    return this.#declarations.forget(connection)
  }

  #withLimit(deliveryLimit: number): QueueArguments {
    return this.#settings.queueType === 'classic' ? {} : { 'x-queue-type': 'quorum', 'x-delivery-limit': deliveryLimit }
  }

  async #declare(
    connection: BrokerConnection,
    name: string,
    args: QueueArguments,
    { signal, timeoutMs = this.#settings.confirmTimeoutMs }: DeclareBound,
  ): Promise<void> {
    await this.#declarations.declare(connection, name, args, { signal, timeoutMs })
  }
}

/** Whether the broker has no queue of that name. */
export const isNotFound = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 404
