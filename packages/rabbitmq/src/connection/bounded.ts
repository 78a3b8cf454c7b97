import { onAbort } from '@taskledger/core/ports'

/** What ends a wait before its time. */
export interface Bound {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** Makes the error when the time is over. */
  onTimeout(): Error
}

/**
 * Waits for a promise, but no longer than until the time is over or the signal is aborted. What the promise comes to later is
 * nobody's concern.
 */
export const bounded = <T>(promise: Promise<T>, { timeoutMs, signal, onTimeout }: Bound): Promise<T> =>
  new Promise((resolve, reject) => {
    const giveUp = (): void => end(() => reject(signal?.reason as Error))
    const timer = setTimeout(() => end(() => reject(onTimeout())), Math.max(0, timeoutMs))
    const end = (settle: () => void): void => {
      clearTimeout(timer)
      leave?.()
      settle()
    }
    const leave = signal && onAbort(signal, giveUp)
    promise.then(
      (value) => end(() => resolve(value)),
      (error: Error) => end(() => reject(error)),
    )
    if (signal?.aborted === true) giveUp()
  })

/** Resolves when the promise is settled, whichever way, or when the time is over. */
export const settledWithin = async (promise: Promise<unknown>, timeoutMs: number): Promise<void> => {
  await bounded(promise, { timeoutMs, onTimeout: () => new Error('too late') }).catch(() => {})
}
