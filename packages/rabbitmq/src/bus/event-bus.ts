import type { Channel, ConsumeMessage } from 'amqplib'
import type { CallOptions, EventBus, EventBusCapabilities, TaskNotice, Unsubscribe } from '@taskledger/core/ports'
import { closedError } from '@taskledger/core/ports'
import type { BrokerConnection } from '../connection/broker-connection.ts'
import { lineOf, noticesOf } from './notice-batches.ts'
import { NoticePublisher } from './notice-publisher.ts'
import { NoticeSequence } from './notice-sequence.ts'
import type { Settings } from '../connection/settings.ts'
import { SupervisedChannel } from '../connection/supervised-channel.ts'
import type { BrokerQueues } from '../topology/broker-queues.ts'

/** So many messages may wait at the broker for a client that does not keep up; then the oldest go. */
const mostWaiting = 100_000

/** The bus on the broker: an exchange that gives each client a copy, in a queue of its own that goes with its connection. */
export class RabbitmqEventBus implements EventBus {
  readonly capabilities: EventBusCapabilities = { crossesProcesses: true }
  readonly #exchange: string
  readonly #settings: Settings
  readonly #publisher: NoticePublisher
  readonly #channel: SupervisedChannel<Channel>
  readonly #sequence = new NoticeSequence()
  readonly #letGo: () => Promise<void>
  readonly #listeners = new Set<{ readonly hear: (notice: TaskNotice) => void }>()
  readonly #gapListeners = new Set<{ readonly hear: () => void }>()
  #hasListened = false
  #hearing: NodeJS.Timeout | undefined
  #closed: Promise<void> | undefined

  constructor(
    publishing: BrokerConnection,
    consuming: BrokerConnection,
    brokerQueues: BrokerQueues,
    settings: Settings,
    letGo: () => Promise<void>,
  ) {
    this.#exchange = brokerQueues.names.events
    this.#settings = settings
    this.#letGo = letGo
    this.#publisher = new NoticePublisher(this.#exchange, publishing, settings, this.#sequence)
    this.#channel = new SupervisedChannel(
      {
        name: 'listener to notices',
        open: (model) => model.createChannel(),
        setUp: (channel) => this.#listen(channel),
        ready: () => this.#tellOfGap(),
        lost: () => this.#stopExpecting(),
      },
      consuming,
      settings.logger,
    )
  }

  /** Resolves when notices can be heard and published: whoever subscribes later misses none. @throws `MISCONFIGURED` */
  async start(): Promise<void> {
    await Promise.all([this.#publisher.start(), this.#channel.start()])
  }

  async publish(notices: readonly TaskNotice[], options?: CallOptions): Promise<void> {
    this.#pass(options?.signal)
    if (notices.length === 0) return
    await this.#publisher.publish(notices.map(lineOf), options?.signal)
    this.#expectToHear()
  }

  subscribe(listener: (notice: TaskNotice) => void): Unsubscribe {
    this.#pass()
    return addTo(this.#listeners, { hear: listener })
  }

  onGap(listener: () => void): Unsubscribe {
    this.#pass()
    return addTo(this.#gapListeners, { hear: listener })
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#listeners.clear()
    this.#gapListeners.clear()
    clearTimeout(this.#hearing)
    await Promise.all([this.#publisher.close(), this.#channel.close()])
    await this.#letGo()
  }

  async #listen(channel: Channel): Promise<void> {
    await channel.assertExchange(this.#exchange, 'fanout', { durable: true })
    const { queue } = await channel.assertQueue('', {
      exclusive: true,
      durable: false,
      autoDelete: true,
      arguments: { 'x-max-length': mostWaiting, 'x-overflow': 'drop-head' },
    })
    await channel.bindQueue(queue, this.#exchange, '')
    await channel.consume(queue, (raw) => this.#take(raw), { noAck: true })
  }

  #take(raw: ConsumeMessage | null): void {
    // Somebody deleted the queue: a new channel makes a new one, and tells of the gap.
    if (raw === null) return this.#channel.reopen('the broker took the queue of notices away')
    if (this.#sequence.isMissingBefore(raw.properties.headers)) this.#tellOfGap()
    for (const notice of noticesOf(raw.content, this.#settings.logger)) {
      for (const { hear } of this.#listeners) this.#tell(() => hear({ ...notice }))
    }
  }

  /**
   * What this client publishes it hears, too. Where it does not, its queue is bound to nothing: somebody deleted the exchange,
   * and it was declared anew. A new channel makes all of it again, and tells of the gap.
   */
  #expectToHear(): void {
    if (this.#hearing !== undefined || this.#channel.current === undefined) return
    const { count } = this.#sequence
    const check = (): void => {
      this.#hearing = undefined
      const { heardOfSelf } = this.#sequence
      // More may have been published since: that has its own time.
      if (heardOfSelf >= count) return heardOfSelf < this.#sequence.count ? this.#expectToHear() : undefined
      this.#channel.reopen('this client does not hear its own notices')
    }
    this.#hearing = setTimeout(check, 3_000 * this.#settings.heartbeatSeconds).unref()
  }

  #stopExpecting(): void {
    clearTimeout(this.#hearing)
    this.#hearing = undefined
    this.#sequence.startAfresh()
  }

  /** Whoever is told listens again: the queue is bound and consumed. */
  #tellOfGap(): void {
    if (this.#hasListened) for (const { hear } of this.#gapListeners) this.#tell(hear)
    this.#hasListened = true
  }

  #tell(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#settings.logger.error({ err: error }, 'a listener of the event bus threw')
    }
  }

  #pass(signal?: AbortSignal): void {
    if (this.#closed !== undefined) throw closedError('the event bus')
    signal?.throwIfAborted()
  }
}

const addTo = <Member>(members: Set<Member>, member: Member): Unsubscribe => {
  members.add(member)
  return () => void members.delete(member)
}
