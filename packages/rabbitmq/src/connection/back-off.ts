import { pause } from './pause.ts'

const firstMs = 100
const longestMs = 5_000

/** Waits between attempts: longer each time, up to five seconds, and never as long as others do who began at the same moment. */
export class BackOff {
  #nextMs = firstMs

  /** What was tried has held for a while. */
  reset(): void {
    this.#nextMs = firstMs
  }

  /** Resolves when the wait is over, and at once when the signal is aborted. */
  async pause(signal: AbortSignal): Promise<void> {
    const ms = this.#nextMs * (0.5 + Math.random() / 2)
    this.#nextMs = Math.min(2 * this.#nextMs, longestMs)
    await pause(ms, signal)
  }
}
