import type { TaskMessaging, TaskStorage } from '../../ports/bundles.ts'
import type { Clock } from '../../ports/shared/clock.ts'
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

/**
 * Completes the given adapters with those in memory. This is the one place where core names an adapter; the adapter is an optional peer,
 * so core depends on no adapter.
 */
export const withDefaults = async (given: GivenAdapters, clock: Clock, logger: Logger): Promise<Adapters> => {
  const [storage, messaging] = await Promise.all([given.storage, given.messaging])
  if (storage !== undefined && messaging !== undefined) return { storage, messaging }
  // Memory is not shared with other processes: those would receive messages of tasks that they cannot read, or no messages.
  if (messaging?.bus.capabilities.crossesProcesses === true)
    logger.warn({}, 'storage is in memory but messaging reaches other processes: they cannot read these tasks; configure storage, too')
  if (storage?.events.capabilities.durability === true)
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
