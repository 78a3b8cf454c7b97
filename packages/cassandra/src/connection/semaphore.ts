import { onAbort } from '@taskledger/core/ports'

/** Gives a permit back. Giving it back twice is fine. */
export type Release = () => void

interface Waiter {
  readonly goOn: () => void
  readonly giveUp: (reason: Error) => void
}

/** Limits how many callers go on at the same time. The others wait in the order of their calls. */
export class Semaphore {
  readonly #waiters = new Set<Waiter>()
  #permits: number

  constructor(permits: number) {
    this.#permits = permits
  }

  /** Resolves with a permit, in the order of the calls; rejects with the signal's reason if that comes first. */
  async acquire(signal?: AbortSignal): Promise<Release> {
    signal?.throwIfAborted()
    if (this.#permits > 0) this.#permits--
    else await this.#wait(signal)
    let isHeld = true
    return () => {
      if (isHeld) this.#giveBack()
      isHeld = false
    }
  }

  /** Rejects every caller that waits. */
  rejectWaiting(reason: Error): void {
    for (const { giveUp } of this.#waiters) giveUp(reason)
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiters.delete(waiter)
        unlisten?.()
      }
      const waiter: Waiter = {
        goOn: () => {
          leave()
          resolve()
        },
        giveUp: (reason) => {
          leave()
          reject(reason)
        },
      }
      this.#waiters.add(waiter)
      const unlisten = signal && onAbort(signal, () => waiter.giveUp(signal.reason as Error))
    })
  }

  #giveBack(): void {
    const [first] = this.#waiters
    if (first === undefined) this.#permits++
    else first.goOn()
  }
}
