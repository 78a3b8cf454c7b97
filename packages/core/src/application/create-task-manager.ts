import { v4 } from 'uuid'
import { systemClock } from '../ports/clock.ts'
import { TaskRegistry, taskRegistry } from '../tasks/task-registry.ts'
import { defaultMaxPayloadBytes } from '../tasks/to-json.ts'
import { Deadlines } from './deadlines.ts'
import { withDefaults } from './default-adapters.ts'
import { Lease } from './lease.ts'
import type { NodeContext } from './node-context.ts'
import type { TaskManagerOptions } from './options.ts'
import { checkMs, checkText, checkWhole, janitorSettings, leaseSettings, workerSettings } from './options.ts'
import { TaskIds } from './task-ids.ts'
import { defaultLogger, harmless } from './task-logger.ts'
import { TaskManager } from './task-manager.ts'

/**
 * Makes a node: a manager, and a worker where there is something to run. It closes storage and messaging with itself.
 *
 * @throws TypeError where the options make no sense; `ADAPTER_MISSING`; whatever the engines say where they cannot be reached.
 */
export const createTaskManager = async (options: TaskManagerOptions): Promise<TaskManager> => {
  const { random, clock = systemClock } = options
  const logger = harmless(options.logger ?? defaultLogger)
  const registry = options.tasks instanceof TaskRegistry ? options.tasks : taskRegistry(options.tasks)
  const name = checkText('name', options.name ?? 'node', 100)
  const callTimeoutMs = checkMs('callTimeoutMs', options.callTimeoutMs ?? 10_000)
  const commandTimeoutMs = checkMs('commandTimeoutMs', options.commandTimeoutMs ?? 10_000)
  const maxPayloadBytes = checkWhole('maxPayloadBytes', options.maxPayloadBytes ?? defaultMaxPayloadBytes, 1, 2 ** 30)
  const lease = leaseSettings(options.lease)
  const janitor = janitorSettings(options.janitor, options.retention)
  const worker = options.worker ?? (registry.queues().length > 0 ? {} : false)
  // Before anything is opened: bad options must not leave connections behind.
  if (worker !== false) workerSettings(worker, registry)

  const { storage, messaging } = await withDefaults(options, clock)
  const ids = new TaskIds(clock, random)
  const nodeId = `${name}-${random === undefined ? v4().slice(0, 8) : ids.next().slice(-12, -4)}`
  const closed = new AbortController()
  let events = 0
  const eventPrefix = `${nodeId}.${clock.now().toString(36)}.`
  const node: NodeContext = {
    nodeId,
    clock,
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
  const manager = new TaskManager({
    node,
    name,
    registry,
    ids,
    maxPayloadBytes,
    janitor,
    abortClosed: (reason) => closed.abort(reason),
  })
  try {
    if (worker === false) await manager.join()
    else await manager.attachWorker(worker)
  } catch (error) {
    await manager.close()
    throw error
  }
  return manager
}
