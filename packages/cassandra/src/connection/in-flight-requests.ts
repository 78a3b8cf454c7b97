import { setTimeout as sleep } from 'node:timers/promises'
import { closedError, within } from '@taskledger/core/ports'
import type { RequestKind } from './driver-errors.ts'
import { translated, wasNotSent } from './driver-errors.ts'
import { Semaphore } from './semaphore.ts'

/**
 * A pause after a request that was not sent: the driver reports a host that is down within a millisecond, and callers
 * that retry would spin.
 */
const notSentPauseMs = 100

/** How long a close waits for the requests in flight, in milliseconds. */
const closeTimeoutMs = 2_000

export interface InFlightRequestsOptions {
  readonly requestTimeoutMs: number
  readonly maxRequests: number
  readonly maxConditional: number
  /** The hosts that are down, in words, for the text of an error. */
  hostsDown(): string
}

/** The requests in flight: limits how many there are, how long each takes, and translates their failures. */
export class InFlightRequests {
  readonly #options: InFlightRequestsOptions
  readonly #all: Semaphore
  readonly #conditional: Semaphore
  /** Aborted when a close stops waiting: the requests in flight then reject. */
  readonly #ended = new AbortController()
  #isClosed = false
  #count = 0
  #becameIdle: (() => void) | undefined

  constructor(options: InFlightRequestsOptions) {
    this.#options = options
    this.#all = new Semaphore(options.maxRequests)
    this.#conditional = new Semaphore(options.maxConditional)
  }

  /**
   * Sends a request as soon as the limits permit. When the signal is aborted, the call rejects promptly; a request in
   * flight goes on.
   */
  async send<T>(kind: RequestKind, signal: AbortSignal | undefined, request: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw storageClosed()
    // The narrower semaphore first: a request that waits there does not hold a permit of the other.
    const releaseConditional = kind === 'conditional' ? await this.#conditional.acquire(signal) : undefined
    const release = await this.#all.acquire(signal).catch((error: unknown) => {
      releaseConditional?.()
      throw error
    })
    this.#count++
    try {
      const answer = request().finally(() => {
        release()
        releaseConditional?.()
      })
      return await this.#bounded(answer, signal)
    } catch (error) {
      if (signal?.aborted === true && error === signal.reason) throw error
      // A write may have happened: its outcome is unknown.
      if (kind === 'read' && error === this.#ended.signal.reason) throw storageClosed()
      if (wasNotSent(error)) await within(sleep(notSentPauseMs), { signal })
      const what = kind === 'read' ? 'a read from Cassandra' : 'a write to Cassandra'
      throw translated(error, kind, what, this.#options.hostsDown())
    } finally {
      if (--this.#count === 0) this.#becameIdle?.()
    }
  }

  /** Rejects the requests that wait for a permit, and ends those in flight after a timeout. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const semaphore of [this.#conditional, this.#all]) semaphore.rejectWaiting(storageClosed())
    if (this.#count === 0) return
    const idle = new Promise<void>((resolve) => (this.#becameIdle = resolve))
    await within(idle, { timeoutMs: closeTimeoutMs, onTimeout: () => {} })
    this.#ended.abort(new Error('the storage was closed before the answer came'))
  }

  #bounded<T>(answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const timeoutMs = this.#options.requestTimeoutMs
    const onTimeout = (): never => {
      throw new Error(`no answer within ${timeoutMs} ms`)
    }
    return within(within(answer, { timeoutMs, signal, onTimeout }), { signal: this.#ended.signal })
  }
}

const storageClosed = (): Error => closedError('the storage on Cassandra')
