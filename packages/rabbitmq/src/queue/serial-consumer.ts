import type { Channel, ConsumeMessage } from 'amqplib'
import type { Consumer } from '@taskledger/core/ports'
import { SupervisedChannel } from '../connection/supervised-channel.ts'
import { BrokerMessage } from './broker-message.ts'
import type { ConsumerParts } from './consumer-parts.ts'
import { cancelledByBroker } from './consumer-parts.ts'
import { ConsumerWatch } from './consumer-watch.ts'
import { Slot } from './slot.ts'
import { sendTokens } from './token-renewal.ts'

/**
 * Takes messages of a queue one at a time among all consumers of all clients.
 *
 * The consumer that holds a token may take messages. Tokens are messages in a queue of their own, of which the broker serves a
 * single consumer (single active consumer). Every serial consumer consumes that queue; the consumer that receives a token keeps it
 * unacknowledged, and consumes the work queue on the same channel. When the channel is lost, the broker delivers both the token and
 * the unsettled message to the next consumer at once. This needs neither polling nor a clock.
 *
 * Every consumer sends a token when it begins, because it cannot know whether there is one. The holder takes the new token and
 * acknowledges the old one. It acknowledges a message at the end of its run, so that the next holder receives that message first.
 */
export class SerialConsumer implements Consumer {
  readonly #parts: ConsumerParts
  readonly #slot: Slot
  readonly #watch: ConsumerWatch
  /** Consumes the token queue, and the work queue while a token is held. */
  #channel: SupervisedChannel<Channel> | undefined
  #token: BrokerMessage | undefined
  #isWanted: boolean
  /** Aborted when the channel of a set-up is lost. */
  #session = new AbortController()
  #closed: Promise<void> | undefined

  constructor(parts: ConsumerParts) {
    this.#parts = parts
    this.#isWanted = parts.slots > 0
    const { queue, handler, sender, watchMs } = parts
    const source = parts.brokerQueues.names.work(queue)
    this.#slot = new Slot('work', {
      queue,
      source,
      sender,
      handler,
      mayTakeMore: () => this.#isWanted,
      isClosing: () => this.#closed !== undefined,
      onFree: () => this.#adjust(),
      onCancelled: () => this.#reopen(cancelledByBroker),
    })
    this.#watch = new ConsumerWatch({
      source,
      intervalMs: watchMs,
      isIdle: () => this.#slot.isIdle,
      isQuiet: () => this.#slot.run === undefined,
      deliveries: () => this.#slot.deliveries,
      onUnserved: (why) => this.#reopen(why),
    })
  }

  /** Begins, and resolves when the consumer waits for a token. @throws `MISCONFIGURED` */
  async start(): Promise<void> {
    const { connection, brokerQueues, queue } = this.#parts
    await brokerQueues.work(connection, queue)
    if (this.#isWanted) await this.#enter()
  }

  resize(slots: number): void {
    if (this.#closed !== undefined) return
    this.#isWanted = slots > 0
    this.#adjust()
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#isWanted = false
    this.#slot.cancel()
    await this.#slot.run
    await this.#leave()
  }

  /** Keeps the channel open while a slot is wanted or a run is under way: the token is given up after the run, not before. */
  #adjust(): void {
    const channel = this.#channel?.current
    if (this.#isWanted && this.#channel === undefined) this.#enter().catch(() => {})
    else if (this.#isWanted && channel !== undefined && this.#token !== undefined) this.#slot.consume(channel).catch(() => {})
    else if (!this.#isWanted && this.#slot.run === undefined) void this.#leave()
    else if (!this.#isWanted) this.#slot.cancel()
  }

  #enter(): Promise<void> {
    const { connection, brokerQueues, queue, sender } = this.#parts
    // After a leave, events of the old channel must not affect the next one.
    const isCurrent = (): boolean => this.#channel === entered
    const entered: SupervisedChannel<Channel> = new SupervisedChannel<Channel>({
      role: {
        name: `serial consumer of "${queue}"`,
        open: (model) => model.createChannel(),
        setUp: (channel) => this.#setUp(channel, isCurrent),
        onReady: (channel) => {
          if (!isCurrent()) return
          this.#watch.start(channel)
          this.#adjust()
        },
        onSetUpFailed: () => brokerQueues.forget(connection),
        onLost: () => {
          if (isCurrent()) this.#lose()
        },
      },
      connection,
      logger: sender.logger,
    })
    this.#channel = entered
    return entered.start()
  }

  async #leave(): Promise<void> {
    const channel = this.#channel
    this.#channel = undefined
    this.#lose()
    await channel?.close()
  }

  async #setUp(channel: Channel, isCurrent: () => boolean): Promise<void> {
    const { connection, brokerQueues, queue, sender } = this.#parts
    await brokerQueues.work(connection, queue)
    const tokens = await brokerQueues.tokens(connection, queue)
    // Room for the held token and for its replacement.
    await channel.prefetch(2)
    if (!isCurrent()) return
    this.#session = new AbortController()
    await channel.consume(
      tokens,
      (raw) => {
        if (isCurrent()) this.#takeToken(raw, channel)
      },
      { consumerTag: 'gate' },
    )
    // The prefetch of the consumer of the work queue.
    await channel.prefetch(1)
    const { signal } = this.#session
    if (isCurrent()) void sendTokens({ queue, sender, isHolder: () => this.#token !== undefined, signal })
  }

  #takeToken(raw: ConsumeMessage | null, channel: Channel): void {
    if (raw === null) return this.#reopen(cancelledByBroker)
    this.#token?.acknowledge()
    this.#token = new BrokerMessage(raw, channel)
    this.#adjust()
  }

  /** The channel is gone, and the token with it. */
  #lose(): void {
    this.#session.abort()
    this.#watch.stop()
    this.#token?.lose()
    this.#token = undefined
    this.#slot.lose()
  }

  #reopen(why: string): void {
    const { connection, brokerQueues } = this.#parts
    brokerQueues.forget(connection)
    this.#channel?.reopen(why)
  }
}
