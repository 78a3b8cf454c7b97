import { onAbort } from '@taskledger/core/ports'

/** Waits until the promise settles or the signal is aborted. What is waited for goes on: others may wait for it as well. */
export const abortable = <T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason as Error)
    const leave = onAbort(signal, giveUp)
    promise.then(
      (value) => {
        leave()
        resolve(value)
      },
      (error: Error) => {
        leave()
        reject(error)
      },
    )
    if (signal.aborted) giveUp()
  })
}
