import type { CancelSchedule, Clock } from '../ports/clock.ts'
import { outcomeUnknown } from '../ports/errors.ts'

/**
 * Bounds calls that leave the process. Calls that begin in the same second share one signal and one timer, since a timer
 * for each call would cost more than many a call itself; so a call is given the limit, and up to a second more.
 */
export class Deadlines {
  readonly #clock: Clock
  readonly #limitMs: number
  readonly #cancels = new Set<CancelSchedule>()
  #current: AbortController | undefined
  #closed: AbortSignal | undefined
  #openedAt = 0

  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock
    this.#limitMs = limitMs
  }

  /** A signal that aborts past the limit, or when the caller's own does. */
  signal(own?: AbortSignal): AbortSignal {
    const shared = this.#closed ?? this.#shared()
    return own === undefined ? shared : AbortSignal.any([own, shared])
  }

  #shared(): AbortSignal {
    const now = this.#clock.now()
    if (this.#current !== undefined && now >= this.#openedAt && now - this.#openedAt < 1_000) return this.#current.signal
    const controller = new AbortController()
    const cancel = this.#clock.schedule(this.#limitMs + 1_000, () => {
      this.#cancels.delete(cancel)
      controller.abort(outcomeUnknown(`a call took longer than ${this.#limitMs} ms`))
    })
    this.#cancels.add(cancel)
    this.#current = controller
    this.#openedAt = now
    return controller.signal
  }

  /** Nothing is called any more: whoever still asks is given a signal that was aborted for this reason. */
  close(reason: Error): void {
    this.#closed = AbortSignal.abort(reason)
    for (const cancel of this.#cancels) cancel()
    this.#cancels.clear()
  }
}
