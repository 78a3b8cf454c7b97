import { closedError } from '@taskledger/core/ports'

/** What every call of a client passes first. */
export class Gate {
  readonly #what: string
  #shut = false

  /** @param what What the client is, as the error of a closed one names it. */
  constructor(what: string) {
    this.#what = what
  }

  /**
   * Lets the call through. Nothing in memory waits, so a signal need not be heard of again after this.
   *
   * @throws `CLOSED` after `shut`; the signal's reason where it was aborted.
   */
  pass(signal?: AbortSignal): void {
    if (this.#shut) throw closedError(this.#what)
    signal?.throwIfAborted()
  }

  /** Lets nothing through from now on. */
  shut(): void {
    this.#shut = true
  }
}
