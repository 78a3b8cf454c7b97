import { v4 } from 'uuid'
import type { Clock } from '../ports/shared/clock.ts'
import { systemClock } from '../ports/shared/clock.ts'
import type { Logger } from '../ports/shared/logger.ts'
import { consoleLogger } from '../ports/shared/logger.ts'
import { TaskRegistry, taskRegistry } from '../tasks/task-registry.ts'
import { defaultMaxPayloadBytes } from '../tasks/to-json.ts'
import { ClusterClocks } from './node/cluster-clocks.ts'
import { Deadlines } from './node/deadlines.ts'
import { withDefaults } from './node/default-adapters.ts'
import { Lease, leaseSettings } from './node/lease.ts'
import { closeAll } from './node/closing.ts'
import type { NodeContext } from './node/context.ts'
import type { TaskManagerOptions } from './options.ts'
import { checkMs, checkText, checkWhole } from '../ports/shared/checks.ts'
import { janitorSettings } from './recovery/settings.ts'
import type { TaskWorkerOptions } from './worker/settings.ts'
import { workerSettings } from './worker/settings.ts'
import { TaskIds } from './commands/task-ids.ts'
import { boundLogger, neverThrowing } from './node/logging.ts'
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
  const { clock = systemClock, storage, messaging } = options
  let logger = neverThrowing(options.logger ?? consoleLogger)
  const given = [storage, messaging].filter((bundle) => bundle !== undefined)
  let made: Awaited<ReturnType<typeof make>>
  try {
    const identity = identityOf(options, clock)
    logger = boundLogger(logger, { node: identity.nodeId })
    made = await make(options, identity, clock, logger)
  } catch (error) {
    await closeAll({ clock, logger }, given)
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

/** What tells a node from others. */
interface NodeIdentity {
  readonly name: string
  readonly nodeId: string
  /** Draws the ids of its tasks. */
  readonly ids: TaskIds
}

const identityOf = ({ name: given = 'node', random }: TaskManagerOptions, clock: Clock): NodeIdentity => {
  const name = checkText('name', given, 100)
  const ids = new TaskIds(clock, random)
  return { name, ids, nodeId: `${name}-${random === undefined ? v4().slice(0, 8) : ids.next().slice(-12, -4)}` }
}

/** Makes a manager that has not joined yet, and the options of its worker. */
const make = async (
  options: TaskManagerOptions,
  { name, nodeId, ids }: NodeIdentity,
  clock: Clock,
  logger: Logger,
): Promise<{ readonly manager: TaskManager; readonly worker: TaskWorkerOptions | false }> => {
  const { random } = options
  const registry = options.tasks instanceof TaskRegistry ? options.tasks : taskRegistry(options.tasks)
  const callTimeoutMs = checkMs('callTimeoutMs', options.callTimeoutMs ?? 10_000)
  const commandTimeoutMs = checkMs('commandTimeoutMs', options.commandTimeoutMs ?? 10_000)
  const maxPayloadBytes = checkWhole('maxPayloadBytes', options.maxPayloadBytes ?? defaultMaxPayloadBytes, 1, 2 ** 30)
  const lease = leaseSettings(options.lease)
  const janitor = janitorSettings(options.janitor, options.retention)
  const worker = options.worker ?? (registry.queues().length > 0 ? {} : false)
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
