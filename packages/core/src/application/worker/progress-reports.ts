import type { TaskProgress } from '../../domain/task-event.ts'
import type { TaskLife } from '../../domain/task-details.ts'
import type { TaskId } from '../../domain/task-id.ts'
import type { TaskState } from '../../domain/task-state.ts'
import type { CancelSchedule } from '../../ports/shared/clock.ts'
import type { NodeContext } from '../node/context.ts'
import { persist } from '../node/retrying.ts'

/** The state of the task that a report belongs to. */
type Reporting = Pick<TaskState, 'version' | 'status'>

interface Reported {
  readonly task: TaskLife
  latest: TaskProgress
  of: Reporting
  /** Whether `latest` is not saved yet. */
  isDue: boolean
  /** The save under way, or the last one. */
  saving: Promise<void>
  cancel: CancelSchedule | undefined
}

/** Saves the progress of tasks: the first report at once, then the latest one in each interval. */
export class ProgressReports {
  readonly #node: NodeContext
  readonly #intervalMs: number
  readonly #reported = new Map<TaskId, Reported>()

  constructor(node: NodeContext, intervalMs: number) {
    this.#node = node
    this.#intervalMs = intervalMs
  }

  report({ taskId, createdAt }: TaskLife, of: Reporting, latest: TaskProgress): void {
    const reported = this.#reported.get(taskId)
    // A body whose task was purged still reports, and the same key has a new task: neither shows the progress of the other.
    if (reported !== undefined && reported.task.createdAt !== createdAt) this.forget(taskId)
    else if (reported !== undefined) {
      Object.assign(reported, { latest, of, isDue: true })
      return
    }
    const first: Reported = { task: { taskId, createdAt }, latest, of, isDue: true, saving: Promise.resolve(), cancel: undefined }
    this.#reported.set(taskId, first)
    this.#saveAndWait(taskId, first)
  }

  /** Forgets the reports of an ended attempt: its last event carries the unsaved progress. */
  forget(taskId: TaskId): void {
    this.#reported.get(taskId)?.cancel?.()
    this.#reported.delete(taskId)
  }

  /** Saves the unsaved progress now: another node continues the task. */
  async flush(taskId: TaskId): Promise<void> {
    const reported = this.#reported.get(taskId)
    this.forget(taskId)
    await reported?.saving
    if (!reported?.isDue) return
    const { storage, logger, commandTimeoutMs } = this.#node
    try {
      await persist(this.#node, { forMs: commandTimeoutMs }, (signal) =>
        storage.listing.saveProgress(reported.task, reported.latest, { signal }),
      )
    } catch (error) {
      logger.warn({ taskId, err: error }, 'failed to save the last progress of an attempt: the next attempt may not get it')
    }
  }

  #saveAndWait(taskId: TaskId, reported: Reported): void {
    // No report in this interval: the next report is saved at once.
    if (!reported.isDue) return this.forget(taskId)
    reported.isDue = false
    reported.saving = this.#save(taskId, reported)
    reported.cancel = this.#node.clock.schedule(this.#intervalMs, () => this.#saveAndWait(taskId, reported))
  }

  async #save(taskId: TaskId, reported: Reported): Promise<void> {
    const { storage, messaging, deadlines, logger, nodeId } = this.#node
    const { task, latest, of } = reported
    try {
      await deadlines.call(undefined, (signal) => storage.listing.saveProgress(task, latest, { signal }))
      const status = of.status === 'cancelRequested' ? of.status : 'inProgress'
      const notice = { taskId, version: of.version, type: 'TaskProgress', status, node: nodeId } as const
      await deadlines.call(undefined, (signal) => messaging.bus.publish([notice], { signal }))
    } catch (error) {
      reported.isDue = true
      logger.warn({ taskId, err: error }, 'failed to save progress: retrying with the next save')
    }
  }
}
