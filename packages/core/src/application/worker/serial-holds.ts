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
 * Keeps a serial queue serial when its engine cannot. An engine that has lost the connection of a consumer, or whose delivery timeout has
 * passed, delivers a message again while its task still runs. The node that receives the message holds it, and with it the turn of the
 * queue, until the run is over.
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

  /** Whether the holds have ended: the worker stops. */
  get isOver(): boolean {
    return this.#over.signal.aborted
  }

  /**
   * Resolves with the task once no live node runs it, or at once if the task belongs to another queue. If the history says that the task
   * runs on this node, `runsHere` says whether that is so.
   */
  async untilFree(taskId: TaskId, queue: string, runsHere: () => boolean): Promise<Aggregate> {
    const { signal } = this.#over
    // Register before the first read, or an end between the two is missed.
    const waiter = this.#awaiting.waiter(taskId, ({ status }) => !isUnderWay(status), signal)
    try {
      for (let isLogged = false; ;) {
        const aggregate = await this.#eventSourcing.load(taskId, noTask, { forMs: Infinity, signal })
        const { state, details } = aggregate
        if (details?.queue !== queue || !isUnderWay(state.status) || !(await this.#isAlive(details?.node, runsHere))) return aggregate
        if (!isLogged) this.#node.logger.info({ taskId, on: details?.node }, 'holding a message of a serial queue: its task still runs')
        isLogged = true
        await waiter.change()
      }
    } finally {
      waiter.stop()
    }
  }

  hear(notice: TaskNotice): void {
    this.#awaiting.hear(notice)
  }

  /** Reads the tasks of all held messages again: notices may have been missed, or a node may be gone. */
  lookAtAll(): void {
    this.#awaiting.wakeAll()
  }

  /** Ends the holds: each `untilFree` rejects. */
  end(): void {
    this.#over.abort(new Error('the worker stops: its held messages go to other nodes'))
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
      // Keep holding: two runs at once do harm, a late run does not.
      logger.warn({ err: error }, 'failed to read the live nodes: still holding a message of a serial queue')
      return true
    }
  }
}
