import type { Messaging, Storage } from '../ports/bundles.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'

/** How long closing waits for storage and for messaging to close, in milliseconds. */
const closeMs = 10_000

/** Where a wait is timed and what goes wrong is told. */
interface Surroundings {
  readonly clock: Clock
  readonly logger: Logger
}

/** Closes storage or messaging, within a bound: an engine that does not let go must not hold up the process. */
export const closedWithin = async ({ clock, logger }: Surroundings, bundle: Storage | Messaging): Promise<void> => {
  const over = new AbortController()
  const tooLong = clock.sleep(closeMs, over.signal).then(
    () => logger.error({}, `storage or messaging did not close within ${closeMs} ms and is left behind`),
    () => {},
  )
  try {
    await Promise.race([bundle.close(), tooLong])
  } finally {
    over.abort()
  }
}

/** Closes what was given to a manager that cannot be made; what is still being opened, once it is open. Never throws. */
export const letGo = async (
  surroundings: Surroundings,
  given: readonly (Storage | Messaging | Promise<Storage | Messaging>)[],
): Promise<void> => {
  await Promise.all(
    given.map(async (opening) => {
      let bundle: Storage | Messaging
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
