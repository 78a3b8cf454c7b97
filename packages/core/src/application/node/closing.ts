import type { TaskMessaging, TaskStorage } from '../../ports/bundles.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import { within } from '../../ports/within.ts'

/** How long closing waits for storage and for messaging to close, in milliseconds. */
const closeMs = 10_000

/** Where a wait is timed and what goes wrong is told. */
interface Surroundings {
  readonly clock: Clock
  readonly logger: Logger
}

/** Closes storage or messaging, within a bound: an engine that does not let go must not hold up the process. */
export const closedWithin = async ({ clock, logger }: Surroundings, bundle: TaskStorage | TaskMessaging): Promise<void> => {
  const onTimeout = (): void => logger.error({}, `storage or messaging did not close within ${closeMs} ms and is left behind`)
  await within(bundle.close(), { timeoutMs: closeMs, onTimeout, clock })
}

/** Closes what was given to a manager that cannot be made; what is still being opened, once it is open. Never throws. */
export const letGo = async (
  surroundings: Surroundings,
  given: readonly (TaskStorage | TaskMessaging | Promise<TaskStorage | TaskMessaging>)[],
): Promise<void> => {
  await Promise.all(
    given.map(async (opening) => {
      let bundle: TaskStorage | TaskMessaging
      try {
        bundle = await opening
      } catch {
        // It is what the manager could not be made for, or the second that went wrong: the first is thrown.
        return
      }
      try {
        await closedWithin(surroundings, bundle)
      } catch (error) {
        surroundings.logger.warn({ err: error }, 'storage or messaging could not be closed')
      }
    }),
  )
}
