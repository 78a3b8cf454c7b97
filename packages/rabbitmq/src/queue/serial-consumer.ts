import type { Channel, ConsumeMessage } from 'amqplib'
import type { Consumer, Delivery } from '@taskledger/core/ports'
import { BackOff } from '../connection/back-off.ts'
import { pause } from '../connection/pause.ts'
import { BrokerMessage } from './broker-message.ts'
import { ConsumerWatch } from './consumer-watch.ts'
import { takenAway } from './parallel-consumer.ts'
import type { ConsumerParts } from './parallel-consumer.ts'
import type { SlotOwner } from './slot.ts'
import { Slot } from './slot.ts'
import { SupervisedChannel } from '../connection/supervised-channel.ts'

/** How often the holder takes a new token: the broker takes back what nobody acknowledges, after half an hour or so. In milliseconds. */
const renewalMs = 60_000

/**
 * Takes messages of a queue one at a time among all consumers of all clients.
 *
 * The right to take is a token in a queue beside the work queue, the gate, of which the broker serves one consumer only
 * (single active consumer). All consumers stand there; who is handed a token, and does not acknowledge it, may consume the
 * work queue. When its channel is gone, so is its hold on the token and on the message that it had not settled: the broker
 * hands both to the next at once. Nobody polls, and no clock is asked.
 *
 * Every consumer brings a token when it begins, since it cannot know whether there is one: the holder takes the new one
 * and lets go of the old. It acknowledges a message at the end of its run, so that whoever takes over meets that one first.
 */
export class SerialConsumer implements Consumer {
  readonly #queue: string
  readonly #parts: ConsumerParts
  readonly #slot: Slot
  readonly #watch: ConsumerWatch
  #gate: SupervisedChannel<Channel> | undefined
  /** What the holder of the right holds. */
  #token: BrokerMessage | undefined
  #wanted: boolean
  #session = new AbortController()
  #closed: Promise<void> | undefined

  constructor(queue: string, handler: (delivery: Delivery) => Promise<void>, slots: number, parts: ConsumerParts) {
    this.#queue = queue
    this.#parts = parts
    this.#wanted = slots > 0
    const owner: SlotOwner = {
      queue,
      source: parts.brokerQueues.names.work(queue),
      sender: parts.sender,
      handler,
      keeps: () => this.#wanted,
      ended: () => this.#adjust(),
      cancelled: () => this.#reopen(takenAway),
    }
    this.#slot = new Slot('work', owner)
    this.#watch = new ConsumerWatch({
      source: parts.brokerQueues.names.work(queue),
      everyMs: parts.watchMs,
      isIdle: () => this.#slot.isIdle,
      isQuiet: () => this.#slot.run === undefined,
      deliveries: () => this.#slot.deliveries,
      onDeaf: (why) => this.#reopen(why),
    })
  }

  /** Begins, and resolves when it stands at the gate. @throws `MISCONFIGURED` */
  async start(): Promise<void> {
    const { connection, brokerQueues } = this.#parts
    await brokerQueues.work(connection, this.#queue)
    if (this.#wanted) await this.#enter()
  }

  resize(slots: number): void {
    if (this.#closed !== undefined) return
    this.#wanted = slots > 0
    this.#adjust()
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#wanted = false
    this.#slot.disarm()
    await this.#slot.run
    await this.#leave()
  }

  /** Stands at the gate exactly if slots are wanted or a run is under way: the right is given up after the run, not before. */
  #adjust(): void {
    const channel = this.#gate?.current
    if (this.#wanted && this.#gate === undefined) this.#enter().catch(() => {})
    else if (this.#wanted && channel !== undefined && this.#token !== undefined) this.#slot.arm(channel).catch(() => {})
    else if (!this.#wanted && this.#slot.run === undefined) void this.#leave()
    else if (!this.#wanted) this.#slot.disarm()
  }

  #enter(): Promise<void> {
    const { connection, brokerQueues, sender } = this.#parts
    // Once it has left, what still happens to a channel is no concern of the next one.
    const isCurrent = (): boolean => this.#gate === gate
    const gate: SupervisedChannel<Channel> = new SupervisedChannel(
      {
        name: `serial consumer of "${this.#queue}"`,
        open: (model) => model.createChannel(),
        setUp: (channel) => this.#setUp(channel, isCurrent),
        ready: (channel) => {
          if (!isCurrent()) return
          this.#watch.start(channel)
          this.#adjust()
        },
        failed: () => brokerQueues.forget(connection),
        lost: () => {
          if (isCurrent()) this.#lose()
        },
      },
      connection,
      sender.logger,
    )
    this.#gate = gate
    return gate.start()
  }

  async #leave(): Promise<void> {
    const gate = this.#gate
    this.#gate = undefined
    this.#lose()
    await gate?.close()
  }

  async #setUp(channel: Channel, isCurrent: () => boolean): Promise<void> {
    const { connection, brokerQueues } = this.#parts
    await brokerQueues.work(connection, this.#queue)
    const gate = await brokerQueues.gate(connection, this.#queue)
    // Room for the token that is held and for the one that takes its place.
    await channel.prefetch(2)
    if (!isCurrent()) return
    this.#session = new AbortController()
    await channel.consume(
      gate,
      (raw) => {
        if (isCurrent()) this.#takeToken(raw, channel)
      },
      { consumerTag: 'gate' },
    )
    // For the consumers that follow.
    await channel.prefetch(1)
    if (isCurrent()) void this.#bringTokens(this.#session.signal)
  }

  #takeToken(raw: ConsumeMessage | null, channel: Channel): void {
    if (raw === null) return this.#reopen(takenAway)
    this.#token?.acknowledge()
    this.#token = new BrokerMessage(raw, channel)
    this.#adjust()
  }

  /** One at once, and one now and then for as long as this is the holder: what is held for long the broker would take back. */
  async #bringTokens(signal: AbortSignal): Promise<void> {
    const backOff = new BackOff()
    for (;;) {
      try {
        await this.#parts.sender.token(this.#queue)
        backOff.reset()
        await pause(renewalMs, signal)
        while (this.#token === undefined && !signal.aborted) await pause(renewalMs, signal)
      } catch (error) {
        // Unless it closes, there is always another try: without a token nobody would take anything.
        this.#parts.sender.logger.debug({ err: error, queue: this.#queue }, 'a token could not be brought to a serial queue')
        await backOff.pause(signal)
      }
      if (signal.aborted) return
    }
  }

  /** The channel is gone, and with it the right. */
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
    this.#gate?.reopen(why)
  }
}
