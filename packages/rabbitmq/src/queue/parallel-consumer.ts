import type { Channel } from 'amqplib'
import type { Consumer, Delivery } from '@taskledger/core/ports'
import type { BrokerConnection } from '../connection/broker-connection.ts'
import { ConsumerWatch } from './consumer-watch.ts'
import type { MessageSender } from './message-sender.ts'
import type { SlotOwner } from './slot.ts'
import { Slot } from './slot.ts'
import { SupervisedChannel } from '../connection/supervised-channel.ts'
import type { BrokerQueues } from '../topology/broker-queues.ts'

/** What consumers of a client share. */
export interface ConsumerParts {
  readonly connection: BrokerConnection
  readonly brokerQueues: BrokerQueues
  readonly sender: MessageSender
  readonly lazyAcknowledgementMs: number
  /** How often to look whether the broker still serves a consumer, in milliseconds. */
  readonly watchMs: number
}

/** Why a channel is opened anew, as the log has it. */
export const takenAway = 'the broker took a consumer away, as it does with a queue that is deleted and when a time-out passes'

/** Takes messages of a queue beside others: as many at a time as there are slots. */
export class ParallelConsumer implements Consumer {
  readonly #queue: string
  readonly #parts: ConsumerParts
  readonly #owner: SlotOwner
  readonly #channel: SupervisedChannel<Channel>
  readonly #watch: ConsumerWatch
  readonly #slots = new Set<Slot>()
  /** Those of them that go when the broker has heard of what they ran last. */
  readonly #leaving = new Set<Slot>()
  #wanted: number
  #count = 0
  #closed: Promise<void> | undefined

  constructor(queue: string, handler: (delivery: Delivery) => Promise<void>, slots: number, parts: ConsumerParts) {
    this.#queue = queue
    this.#parts = parts
    this.#wanted = slots
    const { connection, brokerQueues, sender, lazyAcknowledgementMs, watchMs } = parts
    this.#channel = new SupervisedChannel(
      {
        name: `consumer of "${queue}"`,
        open: (model) => model.createChannel(),
        setUp: (channel) => this.#setUp(channel),
        ready: (channel) => {
          this.#watch.start(channel)
          this.#adjust()
        },
        failed: () => this.#parts.brokerQueues.forget(this.#parts.connection),
        lost: () => {
          this.#watch.stop()
          for (const slot of this.#slots) slot.lose()
        },
      },
      connection,
      sender.logger,
    )
    this.#watch = new ConsumerWatch({
      source: brokerQueues.names.work(queue),
      everyMs: watchMs,
      isIdle: () => [...this.#slots].some(({ isIdle }) => isIdle),
      isQuiet: () => [...this.#slots].every(({ run }) => run === undefined),
      deliveries: () => [...this.#slots].reduce((sum, { deliveries }) => sum + deliveries, 0),
      onDeaf: (why) => this.#reopen(why),
    })
    this.#owner = {
      queue,
      source: brokerQueues.names.work(queue),
      sender,
      lazyAcknowledgementMs,
      handler,
      keeps: (slot) => this.#keeps(slot),
      ended: (slot) => this.#ended(slot),
      cancelled: () => this.#reopen(takenAway),
    }
  }

  /** Begins, and resolves when the broker has been told to send. @throws `MISCONFIGURED` */
  start(): Promise<void> {
    return this.#channel.start()
  }

  resize(slots: number): void {
    if (this.#closed !== undefined) return
    this.#wanted = slots
    this.#adjust()
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#wanted = 0
    this.#adjust()
    await Promise.all([...this.#slots].map(async (slot) => slot.run))
    await this.#channel.close()
  }

  async #setUp(channel: Channel): Promise<void> {
    const { connection, brokerQueues } = this.#parts
    await brokerQueues.work(connection, this.#queue)
    // For each of the consumers that follow, not for all of them.
    await channel.prefetch(1)
    this.#fill()
    // One of them tells whether the broker lets us; the library sends the others behind it.
    await Promise.all([...this.#slots].map((slot) => slot.arm(channel)))
  }

  /** Makes the slots as many as they should be, as far as that is possible while some of them run. */
  #adjust(): void {
    this.#fill()
    for (const slot of this.#slots) {
      if (this.#staying <= this.#wanted) break
      if (slot.run !== undefined) continue
      slot.disarm()
      this.#slots.delete(slot)
    }
    for (const slot of this.#slots) this.#arm(slot)
  }

  get #staying(): number {
    return this.#slots.size - this.#leaving.size
  }

  #fill(): void {
    while (this.#staying < this.#wanted) this.#slots.add(new Slot(`${this.#count++}`, this.#owner))
  }

  /** One too many goes when its run has ended. */
  #keeps(slot: Slot): boolean {
    if (this.#staying <= this.#wanted) return true
    this.#leaving.add(slot)
    return false
  }

  #ended(slot: Slot): void {
    if (this.#leaving.delete(slot)) this.#slots.delete(slot)
    else this.#arm(slot)
  }

  #arm(slot: Slot): void {
    const channel = this.#channel.current
    if (channel === undefined || !this.#slots.has(slot)) return
    // Where the broker refuses, it closes the channel, and all begins anew.
    slot.arm(channel).catch(() => {})
  }

  /** The library gives no answer to the broker's cancelling, which some brokers wait for: a new channel needs none. */
  #reopen(why: string): void {
    this.#parts.brokerQueues.forget(this.#parts.connection)
    this.#channel.reopen(why)
  }
}
