import { closedError } from '@taskledger/core/ports'

/** A port's share of a session. The last share that is closed closes the session. */
export class SessionShare {
  readonly #what: string
  readonly #end: () => Promise<void>
  #closed: Promise<void> | undefined

  /** @param what What the port is, as the error of a closed one names it. */
  constructor(what: string, end: () => Promise<void>) {
    this.#what = what
    this.#end = end
  }

  /**
   * What every call of the port passes first.
   *
   * @throws `CLOSED` after `close`; the signal's reason where it was aborted.
   */
  enter(signal?: AbortSignal): void {
    if (this.#closed !== undefined) throw closedError(this.#what)
    signal?.throwIfAborted()
  }

  /** Closing twice is fine. */
  close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }
}
