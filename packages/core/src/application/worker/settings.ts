import { misuse } from '../../ports/shared/errors.ts'
import type { ConsumeMode } from '../../ports/work-queue.ts'
import { checkQueueName } from '../../tasks/check-declaration.ts'
import type { TaskRegistry } from '../../tasks/task-registry.ts'
import { checkMs, checkWhole } from '../../ports/shared/checks.ts'

/** The options of a worker. Times are in milliseconds. */
export interface TaskWorkerOptions {
  /** How many tasks the worker runs at once from each queue of its tasks. Default 4. Not together with `queues`. */
  readonly slots?: number | undefined
  /** The queues to take from, instead of the queues of its tasks. */
  readonly queues?: Readonly<Record<string, QueueSettings>> | undefined
  /** How long a body may go on after its signal was aborted; then it is abandoned. Default 30,000. */
  readonly cancelGraceMs?: number | undefined
  /** How long closing waits for running tasks before it aborts them. Default 10,000. */
  readonly drainMs?: number | undefined
  /** The minimum time between two saves of a task's progress. Default 500. */
  readonly progressIntervalMs?: number | undefined
  /** What happens to a task that this node cannot decode: a type or version that it does not know, or a payload that its schema refuses. */
  readonly unknownTasks?: UnknownTaskOptions | undefined
}

/** What a worker does with a task that it cannot decode: it releases the task for other nodes, and fails it after too many releases. */
export interface UnknownTaskOptions {
  /** The delay before a released task is delivered again, in milliseconds. Default 500. */
  readonly retryDelayMs?: number | undefined
  /** How often the task may be released before the next node that takes it fails it. Default 20. */
  readonly maxReleases?: number | undefined
}

/** How a worker takes from one queue. */
export interface QueueSettings {
  /** How many tasks of the queue the worker runs at once. Default 4; for a serial queue 1. */
  readonly slots?: number | undefined
  /** `serial`: one task of the queue at a time in the whole cluster. Default `parallel`. */
  readonly mode?: ConsumeMode | undefined
}

/** The settings of one queue, with every default filled in. */
export type ChosenQueueSettings = QueueSettings & { readonly slots: number }

/** The settings of a worker, with every default filled in. Times are in milliseconds. */
export interface WorkerSettings {
  readonly queues: Readonly<Record<string, ChosenQueueSettings>>
  readonly cancelGraceMs: number
  readonly drainMs: number
  readonly progressIntervalMs: number
  readonly unknownTasks: { readonly retryDelayMs: number; readonly maxReleases: number }
}

const maxSlots = 10_000

const defaultSlots = 4

const queueSettings = (queue: string, settings: QueueSettings): ChosenQueueSettings => {
  checkQueueName('the name of a queue', queue)
  const { mode = 'parallel', slots = mode === 'serial' ? 1 : defaultSlots } = settings
  if (!['parallel', 'serial'].includes(mode)) throw misuse(`worker.queues.${queue}.mode is ${mode}: give 'parallel' or 'serial'`)
  return { ...settings, slots: checkWhole(`worker.queues.${queue}.slots`, slots, 1, maxSlots) }
}

/** @throws `MISUSE` if an option is wrong. */
export const workerSettings = (options: TaskWorkerOptions, registry: TaskRegistry): WorkerSettings => {
  if (options.slots !== undefined && options.queues !== undefined)
    throw misuse('worker.slots and worker.queues are both given: give one of them')
  const slots = checkWhole('worker.slots', options.slots ?? defaultSlots, 1, maxSlots)
  const given: Readonly<Record<string, QueueSettings>> =
    options.queues ?? Object.fromEntries(registry.queues().map((queue) => [queue, { slots }]))
  const queues = Object.fromEntries(Object.entries(given).map(([queue, settings]) => [queue, queueSettings(queue, settings)]))
  return {
    queues,
    cancelGraceMs: checkMs('worker.cancelGraceMs', options.cancelGraceMs ?? 30_000),
    drainMs: checkMs('worker.drainMs', options.drainMs ?? 10_000),
    progressIntervalMs: checkMs('worker.progressIntervalMs', options.progressIntervalMs ?? 500),
    unknownTasks: {
      retryDelayMs: checkMs('worker.unknownTasks.retryDelayMs', options.unknownTasks?.retryDelayMs ?? 500),
      maxReleases: checkWhole('worker.unknownTasks.maxReleases', options.unknownTasks?.maxReleases ?? 20, 0, 1_000),
    },
  }
}
