import type { ChecksOf } from '../../ports/shared/check-options.ts'
import { objectOf } from '../../ports/shared/check-options.ts'
import { checkMs, checkOneOf, checkWhole, holderOf, shown, wrongOption } from '../../ports/shared/checks.ts'
import { misuse } from '../../ports/shared/errors.ts'
import type { ConsumeMode } from '../../ports/work-queue.ts'
import { checkQueueName } from '../../tasks/check-declaration.ts'
import type { TaskRegistry } from '../../tasks/task-registry.ts'

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

const checkSlots = (name: string, value: unknown): number => checkWhole(name, value, 1, maxSlots)

const checkQueue = objectOf({
  slots: checkSlots,
  mode: (name, value) => checkOneOf<ConsumeMode>(name, value, ['parallel', 'serial']),
} satisfies ChecksOf<QueueSettings>)

/** For each queue its settings. */
const checkQueues = (name: string, value: unknown): Readonly<Record<string, ChosenQueueSettings>> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || holderOf(value) !== undefined)
    throw wrongOption(name, value, 'an object with the settings of each queue, { default: { slots: 4 } }')
  const chosen: Record<string, ChosenQueueSettings> = {}
  for (const [queue, settings] of Object.entries(value as Readonly<Record<string, unknown>>)) {
    const named = `${name}.${checkQueueName(`${name}: the name of a queue`, queue)}`
    if (typeof settings === 'number') throw misuse(`${named} is ${shown(settings)}: give { slots: ${shown(settings)} }`)
    const { slots, mode } = checkQueue(named, settings)
    chosen[queue] = { slots: slots ?? (mode === 'serial' ? 1 : defaultSlots), ...(mode === undefined ? {} : { mode }) }
  }
  return chosen
}

const checkWorker = objectOf(
  {
    slots: checkSlots,
    queues: checkQueues,
    cancelGraceMs: checkMs,
    drainMs: checkMs,
    progressIntervalMs: checkMs,
    unknownTasks: objectOf({
      retryDelayMs: checkMs,
      maxReleases: (name, value) => checkWhole(name, value, 0, 1_000),
    } satisfies ChecksOf<UnknownTaskOptions>),
  } satisfies ChecksOf<TaskWorkerOptions>,
  { queue: 'give queues, { default: { slots: 4 } }', mode: 'give it to a queue: queues: { default: { mode: "serial" } }' },
)

/** @throws `MISUSE` if an option is wrong, or the worker would take from no queue. */
export const workerSettings = (options: TaskWorkerOptions, registry: TaskRegistry): WorkerSettings => {
  const given = checkWorker('worker', options)
  if (given.slots !== undefined && given.queues !== undefined)
    throw misuse('worker.slots and worker.queues are both given: give one of them')
  const { slots = defaultSlots, unknownTasks } = given
  const queues = given.queues ?? Object.fromEntries(registry.queues().map((queue) => [queue, { slots }]))
  if (Object.keys(queues).length === 0)
    throw misuse(
      given.queues === undefined
        ? 'the worker would take from no queue, because no task of this node has a body: define one, or give worker.queues, or worker: false'
        : 'worker.queues is empty, so the worker would take nothing: name a queue, or give worker: false',
    )
  return {
    queues,
    cancelGraceMs: given.cancelGraceMs ?? 30_000,
    drainMs: given.drainMs ?? 10_000,
    progressIntervalMs: given.progressIntervalMs ?? 500,
    unknownTasks: { retryDelayMs: unknownTasks?.retryDelayMs ?? 500, maxReleases: unknownTasks?.maxReleases ?? 20 },
  }
}
