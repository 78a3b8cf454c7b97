import type { TaskId } from '../../domain/task-id.ts'
import { isUnderWay } from '../../domain/task-status.ts'
import type { TaskNotice } from '../../ports/event-bus.ts'
import type { Aggregate } from '../commands/aggregate.ts'
import { noTask } from '../commands/aggregate.ts'
import { Awaiting } from '../queries/awaiting.ts'
import type { EventSourcing } from '../commands/event-sourcing.ts'
import type { NodeContext } from '../node/context.ts'
import { persist } from '../node/retrying.ts'

/**
 * Keeps a serial queue serial where its engine cannot: an engine that has lost the connection of a consumer, or its patience,
 * delivers again what still runs. Whoever is given that message keeps it, and with it the turn of the queue, until the run is over.
 */
export class SerialHolds {
  readonly #node: NodeContext
  readonly #eventSourcing: EventSourcing
  readonly #awaiting: Awaiting
  readonly #over = new AbortController()

  constructor(parts: { readonly node: NodeContext; readonly eventSourcing: EventSourcing }) {
    this.#node = parts.node
    this.#eventSourcing = parts.eventSourcing
    this.#awaiting = new Awaiting(parts.node)
  }

  /** Whether nothing is held any more: the worker stops. */
  get isOver(): boolean {
    return this.#over.signal.aborted
  }

  /**
   * Resolves, with what the history then says, once the task is not in progress on a node that is alive. `runsHere` says whether
   * it really runs where the history says that it runs on this node.
   */
  async untilFree(taskId: TaskId, runsHere: () => boolean): Promise<Aggregate> {
    const { signal } = this.#over
    // Before the first look, or an end that falls in between is missed.
    const waiter = this.#awaiting.waiter(taskId, ({ status }) => !isUnderWay(status), signal)
    try {
      for (let isTold = false; ;) {
        const aggregate = await this.#eventSourcing.load(taskId, noTask, { forMs: Infinity, signal })
        const { state, details } = aggregate
        if (!isUnderWay(state.status) || !(await this.#isAlive(details?.node, runsHere))) return aggregate
        if (!isTold) this.#node.logger.info({ taskId, on: details?.node }, 'a message of a serial queue is held: its task still runs')
        isTold = true
        await waiter.change()
      }
    } finally {
      waiter.stop()
    }
  }

  hear(notice: TaskNotice): void {
    this.#awaiting.hear(notice)
  }

  /** Notices may have been missed, or a node may have gone: every task that is held for is looked up again. */
  lookAtAll(): void {
    this.#awaiting.wakeAll()
  }

  /** Holds nothing any more: what is held rejects. */
  end(): void {
    this.#over.abort(new Error('the worker stops; what it held is for others'))
  }

  async #isAlive(nodeId: string | undefined, runsHere: () => boolean): Promise<boolean> {
    const { storage, commandTimeoutMs, logger } = this.#node
    if (nodeId === this.#node.nodeId) return runsHere()
    const { signal } = this.#over
    try {
      const nodes = await persist(this.#node, { forMs: commandTimeoutMs, signal }, (bound) => storage.nodes.live({ signal: bound }))
      return nodes.some((node) => node.nodeId === nodeId)
    } catch (error) {
      signal.throwIfAborted()
      // Two at once do harm where one that waits too long does not.
      logger.warn({ err: error }, 'the live nodes could not be read; the message of a serial queue stays held')
      return true
    }
  }
}
