import type { ChannelModel } from 'amqplib'
import type { Logger } from '@taskledger/core/ports'
import { unavailable } from '@taskledger/core/ports'
import type { BrokerConnection } from '../connection/broker-connection.ts'
import { refusalOfOperation } from '../connection/closes.ts'
import { textOf } from '../connection/refusals.ts'
import type { RequestBound } from './requests.ts'
import { onOwnChannel, requestWhenOpen } from './requests.ts'

/** The arguments of a queue. */
export type QueueArguments = Readonly<Record<string, string | number | boolean>>

/** Declares each queue once per connection. A new connection declares it again, because it may have been deleted meanwhile. */
export class Declarations {
  readonly #logger: Logger
  readonly #declared = new WeakMap<ChannelModel, Set<string>>()
  /** Declarations without an answer yet, which further callers share. */
  readonly #pending = new WeakMap<ChannelModel, Map<string, Promise<void>>>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** @throws `MISCONFIGURED` where the queue exists with other arguments or the broker denies it, `UNAVAILABLE`; the signal's reason. */
  async declare(connection: BrokerConnection, name: string, args: QueueArguments, bound: RequestBound): Promise<void> {
    if (connection.model !== undefined && this.#declared.get(connection.model)?.has(name) === true) return
    await requestWhenOpen(connection, `could not declare the queue "${name}"`, bound, (model) => this.#declareOnce(model, name, args))
  }

  /** Forgets the queues of the connection: where one was deleted, others may be too. Returns whether there were any. */
  forget(connection: BrokerConnection): boolean {
    return connection.model !== undefined && this.#declared.delete(connection.model)
  }

  #declareOnce(model: ChannelModel, name: string, args: QueueArguments): Promise<void> {
    const pending = this.#pending.get(model) ?? new Map<string, Promise<void>>()
    this.#pending.set(model, pending)
    const known = pending.get(name)
    if (known !== undefined) return known
    const declaring = this.#declareNow(model, name, args).finally(() => pending.delete(name))
    pending.set(name, declaring)
    return declaring
  }

  async #declareNow(model: ChannelModel, name: string, args: QueueArguments): Promise<void> {
    try {
      await onOwnChannel(model, (channel) => channel.assertQueue(name, { durable: true, arguments: args }))
    } catch (error) {
      const refusal = refusalOfOperation(error, `the queue "${name}"`)
      throw refusal ?? unavailable(`could not declare the queue "${name}": ${textOf(error)}`, error)
    }
    const declared = this.#declared.get(model) ?? new Set<string>()
    this.#declared.set(model, declared.add(name))
    this.#logger.debug({ queue: name }, 'declared a queue')
  }
}
