import type { TaskDetails } from '../../domain/task-details.ts'
import type { CancelSchedule } from '../../ports/shared/clock.ts'
import type { NodeContext } from '../node/context.ts'
import { forEach } from '../node/iterating.ts'
import { persist } from '../node/retrying.ts'
import type { Recovery } from './recovery.ts'

const pageSize = 200

/** How many tasks are examined at once. */
const atATime = 8

/**
 * Looks a second time after the death of a node: whether its tasks still count as running there. Each task belongs to the janitor of one node,
 * which may be cut off, frozen or dead itself; then its tasks would wait until other nodes have noticed that, too. So every node that knows of
 * the death looks one to two renewals later. The tasks of a node are few, and mostly none is left. A declaration that comes second is refused.
 */
export class SecondLook {
  readonly #node: NodeContext
  readonly #recovery: Recovery
  readonly #scheduled = new Set<CancelSchedule>()

  constructor(parts: { readonly node: NodeContext; readonly recovery: Recovery }) {
    this.#node = parts.node
    this.#recovery = parts.recovery
  }

  /** Notes the death of a node. */
  nodeDied(nodeId: string): void {
    const { clock, lease, random } = this.#node
    const cancel = clock.schedule(lease.settings.renewMs * (1 + random()), () => {
      this.#scheduled.delete(cancel)
      void this.#look(nodeId)
    })
    this.#scheduled.add(cancel)
  }

  stop(): void {
    for (const cancel of this.#scheduled) cancel()
    this.#scheduled.clear()
  }

  async #look(nodeId: string): Promise<void> {
    const { storage, commandTimeoutMs, logger, closed } = this.#node
    const filter = { node: nodeId, statuses: ['inProgress', 'cancelRequested'] as const }
    let cursor: string | undefined
    try {
      do {
        const page = await persist(this.#node, { forMs: commandTimeoutMs }, (signal) =>
          storage.listing.list(filter, { limit: pageSize, signal, ...(cursor === undefined ? {} : { cursor }) }),
        )
        await forEach(page.tasks, atATime, (row) => this.#repair(row))
        cursor = page.cursor
      } while (cursor !== undefined)
    } catch (error) {
      // The sweeps of the janitors go on.
      if (!closed.aborted) logger.debug({ nodeId, err: error }, 'failed to look a second time for the tasks of a dead node')
    }
  }

  async #repair(row: TaskDetails): Promise<void> {
    const suspicion = await this.#recovery.suspect(row)
    if (suspicion?.type === 'orphaned') await this.#recovery.repair(row, suspicion)
  }
}
