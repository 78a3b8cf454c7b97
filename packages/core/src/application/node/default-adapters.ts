import type { TaskMessaging, TaskStorage } from '../../ports/bundles.ts'
import type { Clock } from '../../ports/shared/clock.ts'
import { wrongOption } from '../../ports/shared/checks.ts'
import { TaskledgerError } from '../../ports/shared/errors.ts'
import type { Logger } from '../../ports/shared/logger.ts'

/** The adapters of a manager. */
export interface Adapters {
  readonly storage: TaskStorage
  readonly messaging: TaskMessaging
}

/** The adapters that a manager was given, open or still opening. */
export interface GivenAdapters {
  readonly storage?: TaskStorage | Promise<TaskStorage> | undefined
  readonly messaging?: TaskMessaging | Promise<TaskMessaging> | undefined
}

const hasAll = (value: unknown, ports: readonly string[]): boolean =>
  typeof value === 'object' && value !== null && ports.every((port) => port in value)

/** @throws `MISUSE` unless the value has the ports of a storage. */
export const checkStorage = (name: string, value: unknown): TaskStorage => {
  if (!hasAll(value, ['events', 'listing', 'nodes'])) throw wrongOption(name, value, 'what an adapter returns: cassandraStorage({ … })')
  return value as TaskStorage
}

/** @throws `MISUSE` unless the value has the ports of messaging. */
export const checkMessaging = (name: string, value: unknown): TaskMessaging => {
  if (!hasAll(value, ['queue', 'bus'])) throw wrongOption(name, value, 'what an adapter returns: rabbitmqMessaging({ … })')
  return value as TaskMessaging
}

/**
 * Waits until what was given is open. The promise of nothing is no default: the tasks would be in memory without anybody knowing.
 *
 * @throws `MISUSE` if a promise gave something else than an adapter.
 */
const opened = async (given: GivenAdapters): Promise<Partial<Adapters>> => {
  const [storage, messaging] = await Promise.all([given.storage, given.messaging])
  return {
    ...(given.storage === undefined ? {} : { storage: checkStorage('the promised storage', storage) }),
    ...(given.messaging === undefined ? {} : { messaging: checkMessaging('the promised messaging', messaging) }),
  }
}

/**
 * Completes the given adapters with those in memory. This is the one place where core names an adapter; the adapter is an optional peer,
 * so core depends on no adapter.
 */
export const withDefaults = async (given: GivenAdapters, clock: Clock, logger: Logger): Promise<Adapters> => {
  const { storage, messaging } = await opened(given)
  if (storage !== undefined && messaging !== undefined) return { storage, messaging }
  // Memory is not shared with other processes: those would receive messages of tasks that they cannot read, or no messages.
  if (messaging?.bus.capabilities.crossesProcesses === true)
    logger.warn({}, 'storage is in memory but messaging reaches other processes: they cannot read these tasks; configure storage, too')
  if (storage !== undefined && storage.events.capabilities.durability !== 'none')
    logger.warn({}, 'messaging is in memory but storage is durable: other processes receive no tasks; configure messaging, too')
  const memory = await importMemory({ clock, logger })
  return { storage: storage ?? memory.storage(), messaging: messaging ?? memory.messaging() }
}

const importMemory = async (parts: {
  readonly clock: Clock
  readonly logger: Logger
}): Promise<{ storage(): TaskStorage; messaging(): TaskMessaging }> => {
  let createMemory: (options: typeof parts) => { storage(): TaskStorage; messaging(): TaskMessaging }
  try {
    ;({ createMemory } = await import('@taskledger/memory'))
  } catch (cause) {
    throw new TaskledgerError(
      'ADAPTER_MISSING',
      '@taskledger/memory is not installed and storage or messaging is missing: install it, or give both storage and messaging',
      { cause },
    )
  }
  return createMemory(parts)
}
