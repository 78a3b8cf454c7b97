import type { NodeInfo } from '../../ports/node-registry.ts'
import type { NodeContext } from '../node/context.ts'

/**
 * The horizon of each queue: when the latest message was sent that the queue has delivered; now, if the queue is empty. Times are by
 * `clock.elapsed()` of this node, because the clocks of two nodes may differ. A message sent well before the
 * horizon and not delivered is lost; a message sent after it is in the backlog. This relies on first in, first out within a queue.
 */
export class QueueHorizons {
  readonly #node: NodeContext
  /** When the latest message was sent that any node has reported as delivered, also nodes that are gone. */
  readonly #delivered = new Map<string, number>()
  #measured = new Map<string, Promise<number>>()

  constructor(node: NodeContext) {
    this.#node = node
  }

  /** Measures again at the next read, with what the live nodes report as delivered. */
  refresh(live: readonly NodeInfo[]): void {
    this.#measured = new Map()
    const { clock, clocks } = this.#node
    for (const { nodeId, delivered } of live)
      for (const [queue, sentAt] of Object.entries(delivered)) {
        const at = Math.min(clocks.elapsedAt(sentAt, nodeId), clock.elapsed())
        this.#delivered.set(queue, Math.max(at, this.#delivered.get(queue) ?? -Infinity))
      }
  }

  /** The queues that have delivered a message. */
  get queues(): readonly string[] {
    return [...this.#delivered.keys()]
  }

  /** The horizon of a queue; -Infinity if messages wait and none was ever delivered. */
  of(queue: string): Promise<number> {
    let measured = this.#measured.get(queue)
    if (measured === undefined) this.#measured.set(queue, (measured = this.#measure(queue)))
    return measured
  }

  async #measure(queue: string): Promise<number> {
    const { messaging, deadlines, clock, logger } = this.#node
    const now = clock.elapsed()
    try {
      if ((await deadlines.call(undefined, (signal) => messaging.queue.depth(queue, { signal }))) === 0) return now
    } catch (error) {
      // The queue may not be empty: fall back on the delivered messages.
      logger.debug({ queue, err: error }, 'failed to read the depth of a queue')
    }
    return this.#delivered.get(queue) ?? -Infinity
  }
}
