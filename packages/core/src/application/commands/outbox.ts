import type { NodeContext } from '../node/context.ts'
import { persist } from '../node/retrying.ts'

/**
 * Does what has to be done after an event was written: a row, a notice, a message. What fails is tried again in the
 * background until it succeeds or the node closes, and whoever asked goes on meanwhile.
 */
export class Outbox {
  readonly #node: NodeContext
  /** How many deliveries are under way or tried again. */
  #open = 0
  #settled: (() => void) | undefined

  constructor(node: NodeContext) {
    this.#node = node
  }

  /** Resolves after the first try, whatever came of it. */
  async deliver(what: string, call: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.#open++
    try {
      await this.#node.deadlines.call(undefined, call)
    } catch (error) {
      this.#node.logger.warn({ err: error }, `${what} failed and is tried again in the background`)
      void this.#retry(what, call)
    } finally {
      this.#ended()
    }
  }

  /** Resolves when nothing is under way and nothing is left to be tried again. */
  async settled(): Promise<void> {
    if (this.#open > 0) await new Promise<void>((resolve) => (this.#settled = resolve))
  }

  #ended(): void {
    if (--this.#open === 0) this.#settled?.()
  }

  async #retry(what: string, call: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.#open++
    try {
      await persist(this.#node, { forMs: Infinity }, call)
    } catch (error) {
      this.#node.logger.error({ err: error }, `${what} was given up; another node has to find it`)
    } finally {
      this.#ended()
    }
  }
}
