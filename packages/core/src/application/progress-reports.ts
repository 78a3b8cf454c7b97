import type { TaskProgress } from '../domain/task-event.ts'
import type { TaskId } from '../domain/task-id.ts'
import type { CancelSchedule } from '../ports/clock.ts'
import type { NodeContext } from './node-context.ts'

interface Reported {
  latest: TaskProgress
  version: number
  /** Whether `latest` is still to be saved. */
  isDue: boolean
  cancel: CancelSchedule | undefined
}

/**
 * Saves how far tasks have come: the first report at once, then the latest one in each interval. A report that cannot be
 * saved is not tried again, since the next one replaces it.
 */
export class ProgressReports {
  readonly #node: NodeContext
  readonly #intervalMs: number
  readonly #reported = new Map<TaskId, Reported>()

  constructor(node: NodeContext, intervalMs: number) {
    this.#node = node
    this.#intervalMs = intervalMs
  }

  report(taskId: TaskId, version: number, latest: TaskProgress): void {
    const reported = this.#reported.get(taskId)
    if (reported !== undefined) {
      reported.latest = latest
      reported.version = version
      reported.isDue = true
      return
    }
    const first: Reported = { latest, version, isDue: true, cancel: undefined }
    this.#reported.set(taskId, first)
    this.#saveAndWait(taskId, first)
  }

  /** The task ended here: what was not saved stands in its last event. */
  forget(taskId: TaskId): void {
    this.#reported.get(taskId)?.cancel?.()
    this.#reported.delete(taskId)
  }

  /** Saves at once what is still to be saved of a task that goes on elsewhere. */
  async flush(taskId: TaskId): Promise<void> {
    const reported = this.#reported.get(taskId)
    this.forget(taskId)
    if (reported?.isDue) await this.#save(taskId, reported)
  }

  #saveAndWait(taskId: TaskId, reported: Reported): void {
    if (reported.isDue) void this.#save(taskId, reported)
    reported.isDue = false
    reported.cancel = this.#node.clock.schedule(this.#intervalMs, () => this.#saveAndWait(taskId, reported))
  }

  async #save(taskId: TaskId, { latest, version }: Reported): Promise<void> {
    const { storage, messaging, deadlines, logger, nodeId } = this.#node
    const signal = deadlines.signal()
    try {
      await storage.listing.saveProgress(taskId, latest, { signal })
      await messaging.bus.publish([{ taskId, version, type: 'TaskProgress', status: 'inProgress', node: nodeId }], { signal })
    } catch (error) {
      logger.warn({ taskId, err: error }, 'progress was not saved; the next report will be')
    }
  }
}
