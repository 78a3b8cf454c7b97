import type { TaskId } from '../../domain/task-id.ts'
import type { NodeContext } from '../node/context.ts'
import { persist } from '../node/retrying.ts'

/** What a call of the outbox does, for its log lines. */
interface OutboxCall {
  readonly action: 'save a row' | 'publish a notice' | 'send a message'
  readonly taskId: TaskId
}

/**
 * Makes the calls that follow a written event, for its row, notice or message. A failed call is retried in the background until it
 * succeeds or the node closes; the caller does not wait for the retries.
 */
export class Outbox {
  readonly #node: NodeContext
  /** The number of calls that are under way or retried. */
  #open = 0
  #settled: (() => void) | undefined

  constructor(node: NodeContext) {
    this.#node = node
  }

  /** Resolves after the first try, also if it failed. */
  async deliver(what: OutboxCall, call: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.#open++
    try {
      await this.#node.deadlines.call(undefined, call)
    } catch (error) {
      this.#node.logger.warn({ taskId: what.taskId, err: error }, `failed to ${what.action}: retrying in the background`)
      void this.#retry(what, call)
    } finally {
      this.#ended()
    }
  }

  /** Resolves when no call is under way or retried. */
  async settled(): Promise<void> {
    if (this.#open > 0) await new Promise<void>((resolve) => (this.#settled = resolve))
  }

  #ended(): void {
    if (--this.#open === 0) this.#settled?.()
  }

  async #retry(what: OutboxCall, call: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.#open++
    try {
      await persist(this.#node, { forMs: Infinity }, call)
    } catch (error) {
      this.#node.logger.error({ taskId: what.taskId, err: error }, `gave up trying to ${what.action}: a janitor of another node repairs it`)
    } finally {
      this.#ended()
    }
  }
}
