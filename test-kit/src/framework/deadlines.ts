import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '@taskledger/core/ports'
import { systemClock, within } from '@taskledger/core/ports'

/** The length of the parts that a deadline is split into, in milliseconds. */
const partMs = 10

/**
 * A clock that splits each timer into short timers, one after the other. So the event loop makes as many turns before a deadline on a slow
 * machine as on a fast one, and the work gets its turns.
 */
const patientClock: Clock = {
  ...systemClock,
  schedule(ms, callback) {
    let left = ms
    const pass = (): void => {
      const part = Math.min(left, partMs)
      left -= part
      cancel = systemClock.schedule(part, left > 0 ? pass : callback)
    }
    let cancel = (): void => {}
    pass()
    return () => cancel()
  },
}

/** Bounds a promise. After the timeout it fails with the sentence that says what it waited for. The promise itself goes on. */
export const bounded = <T>(timeoutMs: number, sentence: string, promise: Promise<T>): Promise<T> =>
  within(promise, {
    timeoutMs,
    clock: patientClock,
    onTimeout: () => {
      throw tooLate(timeoutMs, sentence)
    },
  })

/** Waits until the condition holds. After the timeout it fails with the sentence. */
export const waitUntil = async (timeoutMs: number, sentence: string, condition: () => boolean | Promise<boolean>): Promise<void> => {
  let isLate = false
  const cancel = patientClock.schedule(timeoutMs, () => (isLate = true))
  try {
    while (!(await bounded(timeoutMs, sentence, Promise.resolve(condition())))) {
      if (isLate) throw tooLate(timeoutMs, sentence)
      await sleep(5)
    }
  } finally {
    cancel()
  }
}

const tooLate = (ms: number, sentence: string): Error => new Error(`Timed out after ${ms} ms waiting until ${sentence}`)
