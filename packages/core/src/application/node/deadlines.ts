import type { CancelSchedule, Clock } from '../../ports/shared/clock.ts'
import { outcomeUnknown } from '../../ports/shared/errors.ts'
import { within } from '../../ports/shared/within.ts'

/** Calls that began within the same second. */
interface Slice {
  readonly controller: AbortController
  /** Rejects the calls that are under way, also if their ports ignore the signal. */
  readonly ends: Set<(reason: Error) => void>
  readonly openedAt: number
  cancelTimer: CancelSchedule
}

/** How long calls share one timer, in milliseconds. */
const sliceMs = 1_000

/**
 * Limits the time of calls that leave the process. Calls that begin within the same second share one signal and one timer: a timer per
 * call costs more than a call in memory. So a call times out after the limit and up to one second more.
 */
export class Deadlines {
  readonly #clock: Clock
  readonly #limitMs: number
  readonly #slices = new Set<Slice>()
  #current: Slice | undefined
  #closed: Error | undefined

  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock
    this.#limitMs = limitMs
  }

  /**
   * Calls a port with a signal that is aborted at the limit, or when the caller aborts. The call rejects then, even if the port ignores
   * the signal.
   */
  call<T>(own: AbortSignal | undefined, port: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed)
    const slice = this.#slice()
    return own === undefined ? bounded(slice, slice.controller.signal, port) : this.#callWithOwn(own, slice, port)
  }

  async #callWithOwn<T>(own: AbortSignal, slice: Slice, port: (signal: AbortSignal) => Promise<T>): Promise<T> {
    own.throwIfAborted()
    return within(bounded(slice, AbortSignal.any([own, slice.controller.signal]), port), { signal: own })
  }

  /** Rejects the calls under way, and every later call, with the reason. */
  close(reason: Error): void {
    this.#closed = reason
    for (const slice of this.#slices) this.#end(slice, reason)
  }

  #slice(): Slice {
    const now = this.#clock.elapsed()
    const { openedAt = now } = this.#current ?? {}
    if (this.#current !== undefined && now - openedAt < sliceMs) return this.#current
    const slice: Slice = { controller: new AbortController(), ends: new Set(), openedAt: now, cancelTimer: () => {} }
    slice.cancelTimer = this.#clock.schedule(this.#limitMs + sliceMs, () =>
      this.#end(slice, outcomeUnknown(`a call timed out after ${this.#limitMs} ms`)),
    )
    this.#slices.add(slice)
    this.#current = slice
    return slice
  }

  #end(slice: Slice, reason: Error): void {
    slice.cancelTimer()
    this.#slices.delete(slice)
    if (this.#current === slice) this.#current = undefined
    slice.controller.abort(reason)
    for (const end of slice.ends) end(reason)
  }
}

/** Settles as the port does, or rejects when the slice ends first. It runs a dozen times per task, so it allocates little. */
const bounded = <T>({ ends }: Slice, signal: AbortSignal, port: (signal: AbortSignal) => Promise<T>): Promise<T> =>
  new Promise<T>((resolve, reject) => {
    const answer = port(signal)
    ends.add(reject)
    answer.then(
      (value) => {
        ends.delete(reject)
        resolve(value)
      },
      (error: Error) => {
        ends.delete(reject)
        reject(error)
      },
    )
  })
