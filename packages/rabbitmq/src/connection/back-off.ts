import { setTimeout as sleep } from 'node:timers/promises'

const minMs = 100
const maxMs = 5_000

/** The delays between retries: each is longer than the one before, up to five seconds, with jitter. */
export class BackOff {
  #nextMs = minMs

  /** Begins again with the shortest delay. */
  reset(): void {
    this.#nextMs = minMs
  }

  /** Resolves after the delay, or at once when the signal is aborted. */
  async pause(signal?: AbortSignal): Promise<void> {
    const ms = this.#nextMs * (0.5 + Math.random() / 2)
    this.#nextMs = Math.min(2 * this.#nextMs, maxMs)
    await pause(ms, signal)
  }
}

/** Resolves after the time, or at once when the signal is aborted. */
export const pause = async (ms: number, signal?: AbortSignal): Promise<void> => {
  // The sleep rejects only when it is aborted.
  await sleep(ms, undefined, signal && { signal }).catch(() => {})
}
