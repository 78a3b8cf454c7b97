import { v4 } from 'uuid'
import { hasMethods, isClock } from '../ports/shared/checks.ts'
import { systemClock } from '../ports/shared/clock.ts'
import type { Logger } from '../ports/shared/logger.ts'
import { consoleLogger, neverThrowing } from '../ports/shared/logger.ts'
import { defaultMaxPayloadBytes } from '../tasks/to-json.ts'
import { ClusterClocks } from './node/cluster-clocks.ts'
import { Deadlines } from './node/deadlines.ts'
import { withDefaults } from './node/default-adapters.ts'
import { Lease } from './node/lease.ts'
import { closeAll } from './node/closing.ts'
import type { NodeContext } from './node/context.ts'
import type { TaskManagerOptions } from './options.ts'
import type { CheckedManagerOptions } from './manager-options.ts'
import { managerOptions } from './manager-options.ts'
import type { TaskWorkerOptions } from './worker/settings.ts'
import { workerSettings } from './worker/settings.ts'
import { TaskIds } from './commands/task-ids.ts'
import { boundLogger } from './node/logging.ts'
import { Assembly } from './assembly.ts'
import { TaskManager } from './task-manager.ts'

/**
 * Makes a node: a manager, and a worker if some of its tasks have a body. Storage and messaging are closed with the manager, and if
 * the manager cannot be made. Both may still be opening (`storage: cassandraStorage(…)` without `await`): if one fails, the other is
 * closed.
 *
 * @throws `MISUSE` if an option is wrong; `ADAPTER_MISSING`; the errors of the adapters if an engine cannot be reached.
 */
export const createTaskManager = async (options: TaskManagerOptions): Promise<TaskManager> => {
  let logger = neverThrowing(consoleLogger)
  let made: Awaited<ReturnType<typeof make>>
  try {
    const checked = managerOptions(options)
    logger = neverThrowing(checked.logger ?? consoleLogger)
    const identity = identityOf(checked)
    logger = boundLogger(logger, { node: identity.nodeId })
    made = await make(checked, identity, logger)
  } catch (error) {
    await closeGiven(options, logger)
    throw error
  }
  const { manager, worker } = made
  try {
    if (worker === false) await manager.join()
    else await manager.attachWorker(worker)
  } catch (error) {
    await manager.close().catch((err: unknown) => logger.warn({ err }, 'failed to close a manager that could not start'))
    throw error
  }
  return manager
}

/** Closes what the caller opened for a manager that cannot be made, whatever is wrong with the options. */
const closeGiven = async (options: Partial<TaskManagerOptions> | null | undefined, logger: Logger): Promise<void> => {
  const given = [options?.storage, options?.messaging].filter((bundle) => hasMethods(bundle, ['close']) || hasMethods(bundle, ['then']))
  const clock: unknown = options?.clock
  await closeAll({ clock: isClock(clock) ? clock : systemClock, logger }, given)
}

/** What tells a node from others. */
interface NodeIdentity {
  readonly name: string
  readonly nodeId: string
  /** Draws the ids of its tasks. */
  readonly ids: TaskIds
}

const identityOf = ({ name = 'node', random, clock = systemClock }: CheckedManagerOptions): NodeIdentity => {
  const ids = new TaskIds(clock, random)
  return { name, ids, nodeId: `${name}-${random === undefined ? v4().slice(0, 8) : ids.next().slice(-12, -4)}` }
}

/** Makes a manager that has not joined yet, and the options of its worker. */
const make = async (
  options: CheckedManagerOptions,
  { name, nodeId, ids }: NodeIdentity,
  logger: Logger,
): Promise<{ readonly manager: TaskManager; readonly worker: TaskWorkerOptions | false }> => {
  const { random, clock = systemClock, tasks: registry, lease, janitor } = options
  const { callTimeoutMs = 10_000, commandTimeoutMs = 10_000, maxPayloadBytes = defaultMaxPayloadBytes } = options
  // Not `??`: null is no worker option.
  const worker = options.worker === undefined ? registry.queues().length > 0 && {} : (options.worker as TaskWorkerOptions | false)
  // Check before the first wait: a wrong option fails at once.
  if (worker !== false) workerSettings(worker, registry)

  const { storage, messaging } = await withDefaults(options, clock, logger)
  const closed = new AbortController()
  let events = 0
  const eventPrefix = `${nodeId}.${clock.now().toString(36)}.`
  const node: NodeContext = {
    nodeId,
    clock,
    clocks: new ClusterClocks({ clock, nodeId }),
    random: random ?? Math.random,
    logger,
    storage,
    messaging,
    deadlines: new Deadlines(clock, callTimeoutMs),
    commandTimeoutMs,
    lease: new Lease(clock, lease),
    closed: closed.signal,
    nextEventIds: () => [eventPrefix + (events++).toString(36), eventPrefix + (events++).toString(36)],
  }
  const assembly = new Assembly({ node, name, registry, ids, maxPayloadBytes, janitor, abortClosed: (reason) => closed.abort(reason) })
  return { manager: new TaskManager(assembly), worker }
}
