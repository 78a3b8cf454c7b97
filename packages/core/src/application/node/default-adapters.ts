import type { TaskMessaging, TaskStorage } from '../../ports/bundles.ts'
import type { Clock } from '../../ports/clock.ts'
import { TaskledgerError } from '../../ports/errors.ts'
import type { Logger } from '../../ports/logger.ts'

/** What a manager works on. */
export interface Adapters {
  readonly storage: TaskStorage
  readonly messaging: TaskMessaging
}

/** What a manager is given of it, open or still opening. */
export interface GivenAdapters {
  readonly storage?: TaskStorage | Promise<TaskStorage>
  readonly messaging?: TaskMessaging | Promise<TaskMessaging>
}

/**
 * What is not given is in memory. The one place where core names an adapter: it is an optional peer, so that core depends
 * on none.
 */
export const withDefaults = async (given: GivenAdapters, clock: Clock, logger: Logger): Promise<Adapters> => {
  const [storage, messaging] = await Promise.all([given.storage, given.messaging])
  if (storage !== undefined && messaging !== undefined) return { storage, messaging }
  // What is in memory is not shared: other processes would see messages of tasks that they cannot find, or the other way round.
  if (messaging?.bus.capabilities.crossesProcesses === true)
    logger.warn({}, 'messaging crosses processes but storage is in memory: other processes do not find the tasks; give storage, too')
  if (storage?.events.capabilities.durability === true)
    logger.warn({}, 'storage is kept but messaging is in memory: other processes are handed no tasks; give messaging, too')
  const memory = await importMemory(clock)
  return { storage: storage ?? memory.storage(), messaging: messaging ?? memory.messaging() }
}

const importMemory = async (clock: Clock): Promise<{ storage(): TaskStorage; messaging(): TaskMessaging }> => {
  let createMemory: (options: { clock: Clock }) => { storage(): TaskStorage; messaging(): TaskMessaging }
  try {
    ;({ createMemory } = await import('@taskledger/memory'))
  } catch (cause) {
    throw new TaskledgerError(
      'ADAPTER_MISSING',
      'no storage or messaging was given and @taskledger/memory is not installed: install it, or give both',
      { cause },
    )
  }
  return createMemory({ clock })
}
