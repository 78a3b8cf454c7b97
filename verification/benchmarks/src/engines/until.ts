import { setTimeout as sleep } from 'node:timers/promises'

const lookMs = 20

/** Waits until something holds, but no longer than `longestMs`. Whether it does. */
export const until = async (longestMs: number, holds: () => boolean | Promise<boolean>): Promise<boolean> => {
  const startedAt = performance.now()
  for (;;) {
    if (await holds()) return true
    if (performance.now() - startedAt > longestMs) return false
    await sleep(lookMs)
  }
}
