import type { Clock } from './clock.ts'
import { systemClock } from './clock.ts'
import { outcomeUnknown } from './errors.ts'
import { onAbort } from './on-abort.ts'

/** What ends a wait before its promise settles. */
export interface WithinOptions<T> {
  /** How long to wait, in milliseconds. Default: without a limit. */
  readonly timeoutMs?: number | undefined
  /** The caller's signal: once it is aborted, the wait rejects with its reason. */
  readonly signal?: AbortSignal | undefined
  /** What the wait comes to after `timeoutMs`: the returned value, or the thrown error. Default: an `OUTCOME_UNKNOWN` error. */
  onTimeout?: (() => T) | undefined
  /** Measures `timeoutMs`. Default: the system clock. */
  readonly clock?: Clock | undefined
}

/**
 * Waits for a promise, until the timeout has passed or the signal is aborted. The promise itself goes on, and a later rejection of it is
 * ignored.
 *
 * @throws whatever the promise rejects with, `onTimeout` throws, or the signal's reason.
 */
export const within = <T>(promise: Promise<T>, options: WithinOptions<T>): Promise<T> => {
  const { timeoutMs, signal, clock = systemClock } = options
  if (timeoutMs === undefined && signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const abort = (): void => settle(() => reject(signal?.reason as Error))
    const timeOut = (): void => {
      try {
        if (options.onTimeout === undefined) throw outcomeUnknown(`no answer within ${timeoutMs} ms`)
        const value = options.onTimeout()
        settle(() => resolve(value))
      } catch (error) {
        fail(error as Error)
      }
    }
    const cancelTimeout = timeoutMs === undefined ? undefined : clock.schedule(timeoutMs, timeOut)
    const unlisten = signal === undefined ? undefined : onAbort(signal, abort)
    const settle = (act: () => void): void => {
      cancelTimeout?.()
      unlisten?.()
      act()
    }
    const fail = (error: Error): void => settle(() => reject(error))
    promise.then((value) => settle(() => resolve(value)), fail)
    if (signal?.aborted === true) abort()
  })
}
