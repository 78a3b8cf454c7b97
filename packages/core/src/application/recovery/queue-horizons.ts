import type { NodeInfo } from '../../ports/node-registry.ts'
import type { NodeContext } from '../node/context.ts'

/**
 * The horizon of each queue: the latest `sentAt` that the queue has delivered; now, if the queue is empty. A message sent well before the
 * horizon and not delivered is lost; a message sent after it is in the backlog. This relies on first in, first out within a queue.
 */
export class QueueHorizons {
  readonly #node: NodeContext
  /** The latest `sentAt` that any node has reported as delivered, also nodes that are gone. */
  readonly #delivered = new Map<string, number>()
  #measured = new Map<string, Promise<number>>()

  constructor(node: NodeContext) {
    this.#node = node
  }

  /** Measures again at the next read, with what the live nodes report as delivered. */
  refresh(live: readonly NodeInfo[]): void {
    this.#measured = new Map()
    for (const { delivered } of live)
      for (const [queue, sentAt] of Object.entries(delivered))
        this.#delivered.set(queue, Math.max(sentAt, this.#delivered.get(queue) ?? -Infinity))
  }

  /** The queues that have delivered a message. */
  get queues(): readonly string[] {
    return [...this.#delivered.keys()]
  }

  /** The horizon of a queue, in milliseconds since 1970; -Infinity if messages wait and none was ever delivered. */
  of(queue: string): Promise<number> {
    let measured = this.#measured.get(queue)
    if (measured === undefined) this.#measured.set(queue, (measured = this.#measure(queue)))
    return measured
  }

  async #measure(queue: string): Promise<number> {
    const { messaging, deadlines, clock, logger } = this.#node
    const now = clock.now()
    try {
      if ((await deadlines.call(undefined, (signal) => messaging.queue.depth(queue, { signal }))) === 0) return now
    } catch (error) {
      // The queue may not be empty: fall back on the delivered messages.
      logger.debug({ queue, err: error }, 'failed to read the depth of a queue')
    }
    // A node whose clock is ahead must not make every message look lost.
    return Math.min(now, this.#delivered.get(queue) ?? -Infinity)
  }
}
