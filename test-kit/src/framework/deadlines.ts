import { setTimeout as sleep } from 'node:timers/promises'
import { within } from '@taskledger/core/ports'

/** Bounds a promise. After the timeout it fails with the sentence that says what it waited for. The promise itself goes on. */
export const bounded = <T>(timeoutMs: number, sentence: string, promise: Promise<T>): Promise<T> =>
  within(promise, {
    timeoutMs,
    onTimeout: () => {
      throw tooLate(timeoutMs, sentence)
    },
  })

/** Waits until the condition holds. After the timeout it fails with the sentence. */
export const waitUntil = async (timeoutMs: number, sentence: string, condition: () => boolean | Promise<boolean>): Promise<void> => {
  const until = Date.now() + timeoutMs
  while (!(await bounded(timeoutMs, sentence, Promise.resolve(condition())))) {
    if (Date.now() >= until) throw tooLate(timeoutMs, sentence)
    await sleep(5)
  }
}

const tooLate = (ms: number, sentence: string): Error => new Error(`Timed out after ${ms} ms waiting until ${sentence}`)
