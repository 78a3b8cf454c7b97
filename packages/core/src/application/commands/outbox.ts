import type { TaskId } from '../../domain/task-id.ts'
import type { NodeContext } from '../node/context.ts'
import type { Retry } from './retry-lane.ts'
import { RetryLane } from './retry-lane.ts'

type Call = (signal: AbortSignal) => Promise<void>

/** What a call of the outbox does, for its log lines. */
interface OutboxCall {
  readonly action: 'save a row' | 'publish a notice' | 'send a message'
  readonly taskId: TaskId
  /** The queue of a message. */
  readonly queue?: string
}

/**
 * Makes the calls that follow a written event, for its row, notice or message. A failed call is retried in the background until it
 * succeeds or the node closes; the caller does not wait for the retries.
 */
export class Outbox {
  readonly #node: NodeContext
  /** One for each action and queue: the queues of a broker fail one by one. */
  readonly #lanes = new Map<string, RetryLane>()
  /** The number of calls that are under way or retried. */
  #open = 0
  #settled: (() => void) | undefined

  constructor(node: NodeContext) {
    this.#node = node
  }

  /**
   * Makes a call, and resolves after this first try, also if it failed. The retries make the call `again` instead: it may wait for hours
   * with thousands of others, so it should hold little more than the id of the task.
   */
  async deliver(what: OutboxCall, call: Call, again: Call = call): Promise<void> {
    this.#open++
    try {
      await this.#node.deadlines.call(undefined, call)
    } catch (error) {
      this.#node.logger.warn({ taskId: what.taskId, err: error }, `failed to ${what.action}: retrying in the background`)
      this.#retry(what, again)
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

  #retry({ action, taskId, queue = '' }: OutboxCall, call: Call): void {
    this.#open++
    const retry: Retry = {
      call,
      onEnd: (error) => {
        if (error !== undefined)
          this.#node.logger.error({ taskId, err: error }, `gave up trying to ${action}: a janitor of another node repairs it`)
        this.#ended()
      },
    }
    const name = `${action} ${queue}`
    const lane = this.#lanes.get(name) ?? new RetryLane(this.#node)
    this.#lanes.set(name, lane)
    lane.add(retry)
  }
}
