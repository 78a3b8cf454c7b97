import type { Messaging, Storage } from '../ports/bundles.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import { misuse } from '../ports/errors.ts'
import { checkQueueName } from '../tasks/check-declaration.ts'
import type { TaskDeclaration } from '../tasks/task-factory.ts'
import type { TaskRegistry } from '../tasks/task-registry.ts'
import type { JanitorSettings } from './janitor.ts'
import type { LeaseSettings } from './lease.ts'
import type { ChosenQueueSettings, QueueSettings, WorkerSettings } from './worker-settings.ts'

/** What a node runs, and how. Times are in milliseconds. */
export interface WorkerOptions {
  /** How many tasks it runs at a time from each queue that its tasks name. Default 4. Not together with `queues`. */
  readonly slots?: number
  /** The queues to take from, instead of those that its tasks name. */
  readonly queues?: Readonly<Record<string, QueueSettings>>
  /** How long a body may go on after its signal was aborted before it is abandoned. Default 30,000. */
  readonly cancelGraceMs?: number
  /** How long closing waits for running tasks before it aborts them. Default 10,000. */
  readonly drainMs?: number
  /** How often the progress of a task is saved at most. Default 500. */
  readonly progressIntervalMs?: number
  /** How long a task that this node cannot decode is left to others before it is delivered again. Default 500. */
  readonly undecodableDelayMs?: number
  /** How often a task that cannot be decoded is left to others before it is failed. Default 20. */
  readonly undecodableReleases?: number
}

/** How a node shows that it lives. Times are in milliseconds. */
export interface LeaseOptions {
  /** How often the node renews itself. Default 5,000. */
  readonly renewMs?: number
  /**
   * For how long it counts as alive without that, at least twice as long. Default 15,000. After 60 % of it a node that could
   * not renew itself takes no more tasks; after all of it, it aborts those that it runs.
   */
  readonly ttlMs?: number
}

/** How a node looks for what was lost. Times are in milliseconds. */
export interface JanitorOptions {
  /** How often it looks, where something was lost; up to six times as long while nothing is. Default 5,000. */
  readonly intervalMs?: number
  /** How long a task that is due may wait before its message can be thought lost. Default 10,000. */
  readonly overdueMs?: number
}

/** What is forgotten by itself. Times are in milliseconds. */
export interface RetentionOptions {
  /** How long a task is kept after it has finished: then history and row are removed. Default: for good. */
  readonly finishedMs?: number
}

/** How a task manager is made. */
export interface TaskManagerOptions {
  /** What can be submitted, and, where it was defined with a body, run on this node. */
  readonly tasks: readonly TaskDeclaration[] | TaskRegistry
  /**
   * Default: in memory. Open, or still opening: `cassandraStorage(…)` needs no `await`. The manager closes it, also where it
   * cannot be made.
   */
  readonly storage?: Storage | Promise<Storage>
  /** Default: in memory. Open, or still opening: `rabbitmqMessaging(…)` needs no `await`. The manager closes it, as it does the storage. */
  readonly messaging?: Messaging | Promise<Messaging>
  /** `false`: a front-end, which runs nothing. Default: four slots for each queue that its tasks name. */
  readonly worker?: WorkerOptions | false
  /** What people call this node; its id is the name and a random part. Default `node`. */
  readonly name?: string
  /** Default: warnings and errors go to the console. */
  readonly logger?: Logger
  /** Default: the machine's. */
  readonly clock?: Clock
  /** In [0, 1). For simulations; default: the platform's. */
  readonly random?: () => number
  /** The largest payload, in bytes of its JSON. Default 262,144. */
  readonly maxPayloadBytes?: number
  /** How this node shows that it lives. Give every node of a cluster the same. */
  readonly lease?: LeaseOptions
  /** How this node looks for what others have lost. */
  readonly janitor?: JanitorOptions
  /** What is forgotten by itself. Default: nothing. Give every node of a cluster the same. */
  readonly retention?: RetentionOptions
  /** How long one call to storage or messaging may take, in milliseconds. Default 10,000. */
  readonly callTimeoutMs?: number
  /** How long a submit or a cancel is tried again before its caller is told, in milliseconds. Default 10,000. */
  readonly commandTimeoutMs?: number
}

/** The longest time that makes sense anywhere here: ten years, in milliseconds. */
const longestMs = 10 * 365 * 24 * 3_600_000

/** @throws TypeError where the value is no time in milliseconds. */
export const checkMs = (what: string, value: number): number => {
  if (typeof value !== 'number' || !(value >= 0 && value <= longestMs))
    throw misuse(`${what} is ${String(value)}: give milliseconds, 0 to ${longestMs}`)
  return value
}

/** @throws TypeError where the value is no whole number in the range. */
export const checkWhole = (what: string, value: number, least: number, most: number): number => {
  if (!Number.isInteger(value) || value < least || value > most)
    throw misuse(`${what} is ${String(value)}: give a whole number, ${least} to ${most}`)
  return value
}

/** @throws TypeError where the value is no text of that length. */
export const checkText = (what: string, value: string, longest: number): string => {
  if (typeof value !== 'string' || value.length === 0 || value.length > longest)
    throw misuse(
      `${what} is ${typeof value === 'string' ? `${value.length} characters long` : String(value)}: give a text of 1 to ${longest} characters`,
    )
  return value
}

/** The shortest time that a node can renew itself or look for something by, in milliseconds. */
const shortestMs = 10

/** @throws TypeError where the lease would be lost before it could be renewed. */
export const leaseSettings = ({ renewMs = 5_000, ttlMs = 15_000 }: LeaseOptions = {}): LeaseSettings => {
  if (checkMs('lease.renewMs', renewMs) < shortestMs) throw misuse(`lease.renewMs is ${renewMs}: give ${shortestMs} milliseconds or more`)
  if (checkMs('lease.ttlMs', ttlMs) < 2 * renewMs)
    throw misuse(`lease.ttlMs is ${ttlMs} and lease.renewMs ${renewMs}: a lease has to last for two renewals at least`)
  return { renewMs, ttlMs }
}

/** @throws TypeError where a time makes no sense. */
export const janitorSettings = (
  { intervalMs = 5_000, overdueMs = 10_000 }: JanitorOptions = {},
  { finishedMs }: RetentionOptions = {},
): JanitorSettings => {
  if (checkMs('janitor.intervalMs', intervalMs) < shortestMs)
    throw misuse(`janitor.intervalMs is ${intervalMs}: give ${shortestMs} milliseconds or more`)
  return {
    intervalMs,
    overdueMs: checkMs('janitor.overdueMs', overdueMs),
    finishedMs: finishedMs === undefined ? undefined : checkMs('retention.finishedMs', finishedMs),
  }
}

const mostSlots = 10_000

const defaultSlots = 4

const queueSettings = (queue: string, settings: QueueSettings): ChosenQueueSettings => {
  checkQueueName('the name of a queue', queue)
  const { mode = 'parallel', slots = mode === 'serial' ? 1 : defaultSlots } = settings
  if (!['parallel', 'serial'].includes(mode)) throw misuse(`worker.queues.${queue}.mode is ${mode}: give 'parallel' or 'serial'`)
  return { ...settings, slots: checkWhole(`worker.queues.${queue}.slots`, slots, 1, mostSlots) }
}

/** The settings of a worker, every choice made. */
export const workerSettings = (options: WorkerOptions, registry: TaskRegistry): WorkerSettings => {
  if (options.slots !== undefined && options.queues !== undefined)
    throw misuse('worker.slots and worker.queues are both given: give one of them')
  const slots = checkWhole('worker.slots', options.slots ?? defaultSlots, 1, mostSlots)
  const given: Readonly<Record<string, QueueSettings>> =
    options.queues ?? Object.fromEntries(registry.queues().map((queue) => [queue, { slots }]))
  const queues = Object.fromEntries(Object.entries(given).map(([queue, settings]) => [queue, queueSettings(queue, settings)]))
  return {
    queues,
    cancelGraceMs: checkMs('worker.cancelGraceMs', options.cancelGraceMs ?? 30_000),
    drainMs: checkMs('worker.drainMs', options.drainMs ?? 10_000),
    progressIntervalMs: checkMs('worker.progressIntervalMs', options.progressIntervalMs ?? 500),
    undecodableDelayMs: checkMs('worker.undecodableDelayMs', options.undecodableDelayMs ?? 500),
    undecodableReleases: checkWhole('worker.undecodableReleases', options.undecodableReleases ?? 20, 0, 1_000),
  }
}
