import { onAbort } from './on-abort.ts'

/** Ends a schedule. Ending it twice, or after it ran, is fine. */
export type CancelSchedule = () => void

/**
 * All time in the framework: a whole cluster can run on virtual time.
 *
 * **You have to** call what is scheduled once, not before its time, and never from within `schedule`.
 *
 * **You may assume** that callbacks do not throw.
 */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Milliseconds since some moment: never set back or forward, so that what lasts can be told. */
  elapsed(): number
  /** Calls back after `ms` milliseconds, at once where they are 0 or less. */
  schedule(ms: number, callback: () => void): CancelSchedule
  /** Resolves after `ms` milliseconds; rejects with the signal's reason where that comes first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Timers of the platform hold 31 bits: what is later is waited for in parts. */
const maxTimerMs = 2 ** 31 - 1

const schedule = (ms: number, callback: () => void): CancelSchedule => {
  const part = Math.min(Math.max(ms, 0), maxTimerMs)
  let cancelRest: CancelSchedule | undefined
  const timer = setTimeout(() => {
    if (ms > maxTimerMs) cancelRest = schedule(ms - maxTimerMs, callback)
    else callback()
  }, part)
  return () => {
    clearTimeout(timer)
    cancelRest?.()
  }
}

/** A `sleep` made of a `schedule`, for clocks of your own. */
export const sleepOn =
  (schedule: Clock['schedule']): Clock['sleep'] =>
  (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error)
      let leave = (): void => {}
      const cancel = schedule(ms, () => {
        leave()
        resolve()
      })
      if (signal === undefined) return
      leave = onAbort(signal, () => {
        cancel()
        reject(signal.reason as Error)
      })
    })

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  schedule,
  sleep: sleepOn(schedule),
}
