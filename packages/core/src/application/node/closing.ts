import type { TaskMessaging, TaskStorage } from '../../ports/bundles.ts'
import { hasMethods } from '../../ports/shared/checks.ts'
import type { Clock } from '../../ports/shared/clock.ts'
import type { Logger } from '../../ports/shared/logger.ts'
import { within } from '../../ports/shared/within.ts'

/** How long closing waits for storage or messaging, in milliseconds. */
const closeMs = 10_000

interface Context {
  readonly clock: Clock
  readonly logger: Logger
}

/** Closes storage or messaging within a time limit: an engine that hangs must not keep the process alive. */
export const closedWithin = async ({ clock, logger }: Context, bundle: TaskStorage | TaskMessaging): Promise<void> => {
  const onTimeout = (): void => logger.error({ timeoutMs: closeMs }, 'gave up closing storage or messaging: it did not close in time')
  await within(bundle.close(), { timeoutMs: closeMs, onTimeout, clock })
}

/** Closes the adapters given to a manager that cannot be made, also those that are still opening. Never throws. */
export const closeAll = async (
  context: Context,
  given: readonly (TaskStorage | TaskMessaging | Promise<TaskStorage | TaskMessaging>)[],
): Promise<void> => {
  await Promise.all(
    given.map(async (opening) => {
      let bundle: TaskStorage | TaskMessaging
      try {
        bundle = await opening
      } catch {
        // Opening failed: the caller gets this error, or that of the other adapter.
        return
      }
      // What was opened may be no adapter: the caller gets that error.
      if (!hasMethods(bundle, ['close'])) return
      try {
        await closedWithin(context, bundle)
      } catch (error) {
        context.logger.warn({ err: error }, 'failed to close storage or messaging')
      }
    }),
  )
}
