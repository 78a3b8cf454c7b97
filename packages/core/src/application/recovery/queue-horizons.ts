import type { NodeInfo } from '../../ports/node-registry.ts'
import type { NodeContext } from '../node/context.ts'

/**
 * How far each queue has come: what was sent before its horizon has been overtaken. A message that became due well before it,
 * and was not delivered, was lost; one that became due after it is merely in a backlog. An empty queue overtakes all.
 */
export class QueueHorizons {
  readonly #node: NodeContext
  /** The newest time of sending that was ever seen to be delivered: it outlives the node that said so. */
  readonly #delivered = new Map<string, number>()
  #measured = new Map<string, Promise<number>>()

  constructor(node: NodeContext) {
    this.#node = node
  }

  /** Begins to measure anew, with what the nodes say they were handed. */
  refresh(live: readonly NodeInfo[]): void {
    this.#measured = new Map()
    for (const { delivered } of live)
      for (const [queue, sentAt] of Object.entries(delivered))
        this.#delivered.set(queue, Math.max(sentAt, this.#delivered.get(queue) ?? -Infinity))
  }

  /** The queues that are known by name. */
  get queues(): readonly string[] {
    return [...this.#delivered.keys()]
  }

  /** Milliseconds since 1970; -Infinity where nobody was ever handed anything, and something waits. */
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
      // Not known to be empty: what was delivered still tells something.
      logger.debug({ queue, err: error }, 'the depth of a queue could not be asked')
    }
    // A clock that is ahead somewhere must not make everything here look lost.
    return Math.min(now, this.#delivered.get(queue) ?? -Infinity)
  }
}
