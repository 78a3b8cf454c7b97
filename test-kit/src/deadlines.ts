import { setTimeout as sleep } from 'node:timers/promises'

/** Bounds a promise; past the time it fails with the sentence, which says what did not happen. What it waited for goes on. */
export const bounded = async <T>(ms: number, sentence: string, promise: Promise<T>): Promise<T> => {
  const timer = new AbortController()
  const late = sleep(ms, undefined, { signal: timer.signal }).then(() => {
    throw tooLate(ms, sentence)
  })
  late.catch(() => {})
  try {
    return await Promise.race([promise, late])
  } finally {
    timer.abort()
  }
}

/** Waits until the condition holds; past the time it fails with the sentence. */
export const waitUntil = async (ms: number, sentence: string, condition: () => boolean | Promise<boolean>): Promise<void> => {
  const until = Date.now() + ms
  while (!(await bounded(ms, sentence, Promise.resolve(condition())))) {
    if (Date.now() >= until) throw tooLate(ms, sentence)
    await sleep(5)
  }
}

const tooLate = (ms: number, sentence: string): Error => new Error(`Within ${ms} ms it did not happen that ${sentence}`)
