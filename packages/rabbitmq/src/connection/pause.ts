import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves when the time is over, and at once when the signal is aborted. */
export const pause = async (ms: number, signal?: AbortSignal): Promise<void> => {
  // Being woken is the only way in which it fails.
  await sleep(ms, undefined, signal && { signal }).catch(() => {})
}
