import type { Channel } from 'amqplib'
import { within } from '@taskledger/core/ports'

/** The consumers to watch, and what to do when the broker does not serve them. */
export interface Watched {
  /** The broker's name of the queue. */
  readonly source: string
  readonly intervalMs: number
  /** Whether no run is under way. */
  isQuiet(): boolean
  /** Whether a consumer waits for a message. */
  isIdle(): boolean
  /** How many messages the consumers have received so far. */
  deliveries(): number
  onUnserved(why: string): void
}

/** After this many checks without a message the consumers are replaced: the broker may have forgotten them. */
const maxQuietChecks = 10

/**
 * Asks the broker regularly whether it still serves our consumers, because a broker may stop without a word:
 *
 * - RabbitMQ 4.3.0 to 4.3.6 may end a consumer after a consumer timeout. The check sees a queue without consumers, or with messages that
 *   nobody gets.
 * - RabbitMQ 3.10 forgets the consumers of a quorum queue that is deleted and declared again at once. No check sees this, because the new
 *   queue still counts the old consumers. Therefore consumers that were idle for long are replaced.
 *
 * If the queue does not exist, the broker closes the channel of the check, and the channel is opened again.
 */
export class ConsumerWatch {
  readonly #watched: Watched
  #timer: NodeJS.Timeout | undefined
  #failedChecks = 0
  #quietChecks = 0
  #deliveriesBefore = 0

  constructor(watched: Watched) {
    this.#watched = watched
  }

  start(channel: Channel): void {
    this.stop()
    const timer = setInterval(() => void this.#check(channel, timer), this.#watched.intervalMs).unref()
    this.#timer = timer
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#failedChecks = 0
    this.#quietChecks = 0
  }

  async #check(channel: Channel, timer: NodeJS.Timeout): Promise<void> {
    const { source, intervalMs } = this.#watched
    let isUnserved: boolean
    try {
      const { messageCount, consumerCount } = await within(channel.checkQueue(source), { timeoutMs: intervalMs })
      const deliveries = this.#watched.deliveries()
      const isStarving = messageCount > 0 && deliveries === this.#deliveriesBefore
      this.#quietChecks = deliveries === this.#deliveriesBefore && this.#watched.isQuiet() ? this.#quietChecks + 1 : 0
      this.#deliveriesBefore = deliveries
      isUnserved = this.#watched.isIdle() && (consumerCount === 0 || isStarving)
    } catch {
      // If the channel is closed, its supervisor reopens it and stops this watch.
      isUnserved = true
    }
    if (timer !== this.#timer) return
    // A single failed check proves nothing: a consumer may just be starting or ending.
    this.#failedChecks = isUnserved ? this.#failedChecks + 1 : 0
    if (this.#failedChecks >= 2) this.#watched.onUnserved('the broker stopped serving a consumer without saying so')
    else if (this.#quietChecks >= maxQuietChecks)
      this.#watched.onUnserved('its consumers were idle for long, and the broker may have forgotten them')
  }
}
