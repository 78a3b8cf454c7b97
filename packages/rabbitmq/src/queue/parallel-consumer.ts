import type { Channel } from 'amqplib'
import type { Consumer } from '@taskledger/core/ports'
import { SupervisedChannel } from '../connection/supervised-channel.ts'
import type { ConsumerParts } from './consumer-parts.ts'
import { cancelledByBroker } from './consumer-parts.ts'
import { ConsumerWatch } from './consumer-watch.ts'
import type { SlotOwner } from './slot.ts'
import { Slot } from './slot.ts'

/** Takes messages of a queue beside other consumers: as many at a time as it has slots. */
export class ParallelConsumer implements Consumer {
  readonly #parts: ConsumerParts
  readonly #owner: SlotOwner
  readonly #channel: SupervisedChannel<Channel>
  readonly #watch: ConsumerWatch
  readonly #slots = new Set<Slot>()
  /** The slots that go when the broker has been told of their last run. */
  readonly #leaving = new Set<Slot>()
  #wantedSlots: number
  #count = 0
  #closed: Promise<void> | undefined

  constructor(parts: ConsumerParts) {
    this.#parts = parts
    this.#wantedSlots = parts.slots
    const { queue, handler, connection, brokerQueues, sender, lazyAcknowledgementMs, watchMs } = parts
    const source = brokerQueues.names.work(queue)
    this.#channel = new SupervisedChannel<Channel>({
      role: {
        name: `consumer of "${queue}"`,
        open: (model) => model.createChannel(),
        setUp: (channel) => this.#setUp(channel),
        onReady: (channel) => {
          this.#watch.start(channel)
          this.#adjust()
        },
        onSetUpFailed: () => brokerQueues.forget(connection),
        onLost: () => {
          this.#watch.stop()
          for (const slot of this.#slots) slot.lose()
        },
      },
      connection,
      logger: sender.logger,
    })
    this.#watch = new ConsumerWatch({
      source,
      intervalMs: watchMs,
      isIdle: () => [...this.#slots].some(({ isIdle }) => isIdle),
      isQuiet: () => [...this.#slots].every(({ run }) => run === undefined),
      deliveries: () => [...this.#slots].reduce((sum, { deliveries }) => sum + deliveries, 0),
      onUnserved: (why) => this.#reopen(why),
    })
    this.#owner = {
      queue,
      source,
      sender,
      lazyAcknowledgementMs,
      handler,
      mayTakeMore: (slot) => this.#mayTakeMore(slot),
      isClosing: () => this.#closed !== undefined,
      onFree: (slot) => this.#onFree(slot),
      onCancelled: () => this.#reopen(cancelledByBroker),
    }
  }

  /** Begins, and resolves when the broker delivers messages. @throws `MISCONFIGURED` */
  start(): Promise<void> {
    return this.#channel.start()
  }

  resize(slots: number): void {
    if (this.#closed !== undefined) return
    this.#wantedSlots = slots
    this.#adjust()
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#wantedSlots = 0
    this.#adjust()
    await Promise.all([...this.#slots].map(async (slot) => slot.run))
    await this.#channel.close()
  }

  async #setUp(channel: Channel): Promise<void> {
    const { connection, brokerQueues, queue } = this.#parts
    await brokerQueues.work(connection, queue)
    // The prefetch of each consumer that follows, not of all of them together.
    await channel.prefetch(1)
    this.#fill()
    // In one batch: the first answer tells whether the broker allows them.
    await Promise.all([...this.#slots].map((slot) => slot.consume(channel)))
  }

  /** Adds missing slots and removes free ones that are too many. Slots that run are removed when they are free. */
  #adjust(): void {
    this.#fill()
    for (const slot of this.#slots) {
      if (this.#stayingSlots <= this.#wantedSlots) break
      if (slot.run !== undefined) continue
      slot.cancel()
      this.#slots.delete(slot)
    }
    for (const slot of this.#slots) this.#consume(slot)
  }

  get #stayingSlots(): number {
    return this.#slots.size - this.#leaving.size
  }

  #fill(): void {
    while (this.#stayingSlots < this.#wantedSlots) this.#slots.add(new Slot(`${this.#count++}`, this.#owner))
  }

  #mayTakeMore(slot: Slot): boolean {
    if (this.#stayingSlots <= this.#wantedSlots) return true
    this.#leaving.add(slot)
    return false
  }

  #onFree(slot: Slot): void {
    if (this.#leaving.delete(slot)) this.#slots.delete(slot)
    else this.#consume(slot)
  }

  #consume(slot: Slot): void {
    const channel = this.#channel.current
    if (channel === undefined || !this.#slots.has(slot)) return
    // A refusal closes the channel, which is then reopened.
    slot.consume(channel).catch(() => {})
  }

  /** amqplib does not answer when the broker cancels a consumer, and some brokers wait for the answer: a new channel needs none. */
  #reopen(why: string): void {
    const { connection, brokerQueues } = this.#parts
    brokerQueues.forget(connection)
    this.#channel.reopen(why)
  }
}
