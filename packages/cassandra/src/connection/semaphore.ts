import { onAbort } from '@taskledger/core/ports'

/** Gives its place back. Giving it back twice is fine. */
export type Leave = () => void

interface Waiter {
  readonly go: () => void
  readonly giveUp: (reason: Error) => void
}

/** So many places; whoever finds none free waits in line. */
export class Semaphore {
  readonly #line = new Set<Waiter>()
  #free: number

  constructor(places: number) {
    this.#free = places
  }

  /** Resolves with a place, in the order of the calls; rejects with the signal's reason where that comes first. */
  async take(signal?: AbortSignal): Promise<Leave> {
    signal?.throwIfAborted()
    if (this.#free > 0) this.#free--
    else await this.#wait(signal)
    let isTaken = true
    return () => {
      if (isTaken) this.#giveBack()
      isTaken = false
    }
  }

  /** Sends everybody away who waits in line. */
  clear(reason: Error): void {
    for (const { giveUp } of this.#line) giveUp(reason)
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leaveLine = (): void => {
        this.#line.delete(waiter)
        leave?.()
      }
      const waiter: Waiter = {
        go: () => {
          leaveLine()
          resolve()
        },
        giveUp: (reason) => {
          leaveLine()
          reject(reason)
        },
      }
      this.#line.add(waiter)
      const leave = signal && onAbort(signal, () => waiter.giveUp(signal.reason as Error))
    })
  }

  #giveBack(): void {
    const [first] = this.#line
    if (first === undefined) this.#free++
    else first.go()
  }
}
