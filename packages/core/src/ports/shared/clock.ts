import { onAbort } from './on-abort.ts'

/** Cancels a scheduled callback. Cancelling twice, or after the callback ran, is fine. */
export type CancelSchedule = () => void

/**
 * The source of all time in the framework, so that a whole cluster can run on virtual time.
 *
 * **You have to** call each scheduled callback once, not before its time, and never from within `schedule`.
 *
 * **You may assume** that callbacks do not throw.
 */
export interface Clock {
  /** Milliseconds since 1970; histories keep whole ones. It may be set, forward and back. */
  now(): number
  /**
   * Milliseconds since a fixed moment. Never set back or forward, so that it measures durations. It may stand still while the machine is
   * suspended, as that of Linux does.
   */
  elapsed(): number
  /** Calls back after `ms` milliseconds; with 0 or less as soon as possible. */
  schedule(ms: number, callback: () => void): CancelSchedule
  /** Resolves after `ms` milliseconds; rejects with the signal's reason if the abort comes first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Timers of the platform hold 31 bits: a longer time is waited for in parts. */
const maxTimerMs = 2 ** 31 - 1

/** A timer of Node counts whole milliseconds, so it may fire up to one early. A greater difference comes from a test that fakes timers only. */
const maxEarlyMs = 2

const schedule = (ms: number, callback: () => void): CancelSchedule => {
  const dueAt = performance.now() + ms
  let timer: ReturnType<typeof setTimeout>
  const wait = (leftMs: number): void => {
    timer = setTimeout(
      () => {
        if (leftMs > maxTimerMs) return wait(leftMs - maxTimerMs)
        const earlyMs = dueAt - performance.now()
        if (earlyMs > 0 && earlyMs < maxEarlyMs) wait(earlyMs)
        else callback()
      },
      Math.min(Math.max(leftMs, 0), maxTimerMs),
    )
  }
  wait(ms)
  return () => clearTimeout(timer)
}

/** Makes the `sleep` of a clock from its `schedule`, for clocks of your own. */
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
