import type { TaskProgress } from '../../domain/task-event.ts'
import type { TaskId } from '../../domain/task-id.ts'
import type { CancelSchedule } from '../../ports/clock.ts'
import type { NodeContext } from '../node/context.ts'
import { persist } from '../node/retrying.ts'

interface Reported {
  latest: TaskProgress
  version: number
  /** Whether `latest` is still to be saved. */
  isDue: boolean
  /** The save that is under way, or was the last one. */
  saving: Promise<void>
  cancel: CancelSchedule | undefined
}

/** Saves how far tasks have come: the first report at once, then the latest one in each interval. */
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
      Object.assign(reported, { latest, version, isDue: true })
      return
    }
    const first: Reported = { latest, version, isDue: true, saving: Promise.resolve(), cancel: undefined }
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
    await reported?.saving
    if (!reported?.isDue) return
    const { storage, logger, commandTimeoutMs } = this.#node
    try {
      await persist(this.#node, { forMs: commandTimeoutMs }, (signal) => storage.listing.saveProgress(taskId, reported.latest, { signal }))
    } catch (error) {
      logger.warn({ taskId, err: error }, 'the last progress of an attempt was not saved; the next one may not know of it')
    }
  }

  #saveAndWait(taskId: TaskId, reported: Reported): void {
    // Nothing came for an interval: the next report is a first one again.
    if (!reported.isDue) return this.forget(taskId)
    reported.isDue = false
    reported.saving = this.#save(taskId, reported)
    reported.cancel = this.#node.clock.schedule(this.#intervalMs, () => this.#saveAndWait(taskId, reported))
  }

  async #save(taskId: TaskId, reported: Reported): Promise<void> {
    const { storage, messaging, deadlines, logger, nodeId } = this.#node
    const { latest, version } = reported
    try {
      await deadlines.call(undefined, (signal) => storage.listing.saveProgress(taskId, latest, { signal }))
      const notice = { taskId, version, type: 'TaskProgress', status: 'inProgress', node: nodeId } as const
      await deadlines.call(undefined, (signal) => messaging.bus.publish([notice], { signal }))
    } catch (error) {
      reported.isDue = true
      logger.warn({ taskId, err: error }, 'progress was not saved and is tried again')
    }
  }
}
