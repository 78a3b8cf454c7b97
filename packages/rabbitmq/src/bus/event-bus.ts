import type { Channel, ConsumeMessage } from 'amqplib'
import type { CallOptions, EventBus, EventBusCapabilities, TaskNotice, Unsubscribe } from '@taskledger/core/ports'
import { closedError } from '@taskledger/core/ports'
import type { BrokerConnection } from '../connection/broker-connection.ts'
import type { Settings } from '../connection/settings.ts'
import { SupervisedChannel } from '../connection/supervised-channel.ts'
import { lineOf, noticesOf } from './notice-batches.ts'
import { NoticePublisher } from './notice-publisher.ts'
import { NoticeSequence } from './notice-sequence.ts'

/** How many messages may wait at the broker for a client that does not keep up; then the broker drops the oldest. */
const maxWaiting = 100_000

/** What an event bus is made of. */
interface EventBusParts {
  readonly publishing: BrokerConnection
  readonly consuming: BrokerConnection
  /** The name of the exchange. */
  readonly exchange: string
  readonly settings: Settings
  /** Ends the use of the connections. */
  release(): Promise<void>
}

/** The event bus on RabbitMQ: an exchange copies each notice to every client, whose queue ends with its connection. */
export class RabbitmqEventBus implements EventBus {
  readonly capabilities: EventBusCapabilities = { crossesProcesses: true }
  readonly #parts: EventBusParts
  readonly #publisher: NoticePublisher
  readonly #channel: SupervisedChannel<Channel>
  readonly #sequence = new NoticeSequence()
  readonly #listeners = new Set<{ readonly call: (notice: TaskNotice) => void }>()
  readonly #gapListeners = new Set<{ readonly call: () => void }>()
  #hasListened = false
  #ownNoticeTimer: NodeJS.Timeout | undefined
  #closed: Promise<void> | undefined

  constructor(parts: EventBusParts) {
    this.#parts = parts
    const { publishing, consuming, exchange, settings } = parts
    this.#publisher = new NoticePublisher({ exchange, connection: publishing, settings, sequence: this.#sequence })
    this.#channel = new SupervisedChannel<Channel>({
      role: {
        name: 'listener to notices',
        open: (model) => model.createChannel(),
        setUp: (channel) => this.#listen(channel),
        onReady: () => this.#announceGap(),
        onLost: () => this.#stopExpecting(),
      },
      connection: consuming,
      logger: settings.logger,
    })
  }

  /** Resolves when notices can be received and published: a later subscription misses none. @throws `MISCONFIGURED` */
  async start(): Promise<void> {
    await Promise.all([this.#publisher.start(), this.#channel.start()])
  }

  async publish(notices: readonly TaskNotice[], options?: CallOptions): Promise<void> {
    this.#checkOpen(options?.signal)
    if (notices.length === 0) return
    await this.#publisher.publish(notices.map(lineOf), options?.signal)
    this.#expectOwnNotices()
  }

  subscribe(listener: (notice: TaskNotice) => void): Unsubscribe {
    this.#checkOpen()
    return addTo(this.#listeners, { call: listener })
  }

  onGap(listener: () => void): Unsubscribe {
    this.#checkOpen()
    return addTo(this.#gapListeners, { call: listener })
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#listeners.clear()
    this.#gapListeners.clear()
    clearTimeout(this.#ownNoticeTimer)
    await Promise.all([this.#publisher.close(), this.#channel.close()])
    await this.#parts.release()
  }

  async #listen(channel: Channel): Promise<void> {
    const { exchange } = this.#parts
    await channel.assertExchange(exchange, 'fanout', { durable: true })
    const { queue } = await channel.assertQueue('', {
      exclusive: true,
      durable: false,
      autoDelete: true,
      arguments: { 'x-max-length': maxWaiting, 'x-overflow': 'drop-head' },
    })
    await channel.bindQueue(queue, exchange, '')
    await channel.consume(queue, (raw) => this.#receive(raw), { noAck: true })
  }

  #receive(raw: ConsumeMessage | null): void {
    // A new channel declares the queue again and announces the gap.
    if (raw === null) return this.#channel.reopen('the queue of notices was deleted')
    if (this.#sequence.isMissingBefore(raw.properties.headers)) this.#announceGap()
    for (const notice of noticesOf(raw.content, this.#parts.settings.logger)) {
      for (const { call } of this.#listeners) this.#callSafely(() => call({ ...notice }))
    }
  }

  /**
   * Checks that this client receives its own notices. If it does not, its queue is bound to nothing, because the exchange was deleted
   * and declared again. A new channel declares and binds everything again, and announces the gap.
   */
  #expectOwnNotices(): void {
    if (this.#ownNoticeTimer !== undefined || this.#channel.current === undefined) return
    const expected = this.#sequence.count
    const check = (): void => {
      this.#ownNoticeTimer = undefined
      const { lastOwnNumber, count } = this.#sequence
      // Later notices get a check of their own.
      if (lastOwnNumber >= expected) return lastOwnNumber < count ? this.#expectOwnNotices() : undefined
      this.#channel.reopen('this client does not receive its own notices')
    }
    this.#ownNoticeTimer = setTimeout(check, 3_000 * this.#parts.settings.heartbeatSeconds).unref()
  }

  #stopExpecting(): void {
    clearTimeout(this.#ownNoticeTimer)
    this.#ownNoticeTimer = undefined
    this.#sequence.reset()
  }

  /** Called when the queue is bound and consumed again, so a listener that reads now misses nothing later. */
  #announceGap(): void {
    if (this.#hasListened) for (const { call } of this.#gapListeners) this.#callSafely(call)
    this.#hasListened = true
  }

  #callSafely(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#parts.settings.logger.error({ err: error }, 'a listener of the event bus threw')
    }
  }

  #checkOpen(signal?: AbortSignal): void {
    if (this.#closed !== undefined) throw closedError('the event bus')
    signal?.throwIfAborted()
  }
}

const addTo = <Member>(members: Set<Member>, member: Member): Unsubscribe => {
  members.add(member)
  return () => void members.delete(member)
}
