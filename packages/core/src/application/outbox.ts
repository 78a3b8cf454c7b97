import type { NodeContext } from './node-context.ts'
import { persist } from './persistence.ts'

/**
 * Does what has to be done after an event was written: a row, a notice, a message. What fails is tried again in the
 * background until it succeeds or the node closes, and whoever asked goes on meanwhile.
 */
export class Outbox {
  readonly #node: NodeContext
  readonly #pending = new Set<Promise<void>>()

  constructor(node: NodeContext) {
    this.#node = node
  }

  /** Resolves after the first try, whatever came of it. */
  async deliver(what: string, call: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const first = this.#node.deadlines.call(undefined, call).catch((error: unknown) => {
      this.#node.logger.warn({ err: error }, `${what} failed and is tried again in the background`)
      this.#keep(this.#retry(what, call))
    })
    this.#keep(first)
    await first
  }

  /** Resolves when nothing is under way and nothing is left to be tried again. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending)
  }

  #keep(delivery: Promise<void>): void {
    this.#pending.add(delivery)
    void delivery.finally(() => this.#pending.delete(delivery))
  }

  async #retry(what: string, call: (signal: AbortSignal) => Promise<void>): Promise<void> {
    try {
      await persist(this.#node, { forMs: Infinity }, call)
    } catch (error) {
      this.#node.logger.error({ err: error }, `${what} was given up; another node has to find it`)
    }
  }
}
