import type { Channel } from 'amqplib'
import { bounded } from '../connection/bounded.ts'

/** What is watched, and what to do where something is wrong. */
export interface Watched {
  /** The broker's name of the queue. */
  readonly source: string
  readonly everyMs: number
  /** Whether nothing runs. */
  isQuiet(): boolean
  /** Whether a consumer stands there that has nothing to do. */
  isIdle(): boolean
  /** How many messages came so far. */
  deliveries(): number
  onDeaf(why: string): void
}

/** After so many looks without a message the consumers are made anew, in case the broker takes them for those of another queue. */
const longestQuiet = 10

/**
 * Asks the broker now and then whether it still serves our consumers. It does not always tell when it stops: RabbitMQ 3.10
 * says nothing where a quorum queue is deleted and declared again at once, and from 4.3.0 to 4.3.6 a time-out may end a consumer for good.
 * The former cannot even be seen: the new queue counts the old consumers among its own. So who is idle for long begins anew.
 * A queue that is gone closes the channel that asks, which is cure enough.
 */
export class ConsumerWatch {
  readonly #watched: Watched
  #timer: NodeJS.Timeout | undefined
  #suspicions = 0
  #quietLooks = 0
  #deliveriesBefore = 0

  constructor(watched: Watched) {
    this.#watched = watched
  }

  start(channel: Channel): void {
    this.stop()
    const timer = setInterval(() => void this.#look(channel, timer), this.#watched.everyMs).unref()
    this.#timer = timer
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#suspicions = 0
    this.#quietLooks = 0
  }

  async #look(channel: Channel, timer: NodeJS.Timeout): Promise<void> {
    const { source, everyMs } = this.#watched
    let isWrong: boolean
    try {
      const answer = bounded(channel.checkQueue(source), { timeoutMs: everyMs, onTimeout: () => new Error('no answer') })
      const { messageCount, consumerCount } = await answer
      const deliveries = this.#watched.deliveries()
      const isStarving = messageCount > 0 && deliveries === this.#deliveriesBefore
      this.#quietLooks = deliveries === this.#deliveriesBefore && this.#watched.isQuiet() ? this.#quietLooks + 1 : 0
      this.#deliveriesBefore = deliveries
      isWrong = this.#watched.isIdle() && (consumerCount === 0 || isStarving)
    } catch {
      // Where the channel is closed, somebody else sees to it.
      isWrong = true
    }
    if (timer !== this.#timer) return
    // Once it may be that a consumer just comes or goes.
    this.#suspicions = isWrong ? this.#suspicions + 1 : 0
    if (this.#suspicions >= 2) this.#watched.onDeaf('the broker serves a consumer no more, and did not say so')
    else if (this.#quietLooks >= longestQuiet)
      this.#watched.onDeaf('a consumer has been idle for long, and makes sure that it is not forgotten')
  }
}
