import { closedError } from '@taskledger/core/ports'

/** The first step of every call of a client. */
export class Gate {
  readonly #what: string
  #shut = false

  /** @param what The name of the client in the error after `shut`. */
  constructor(what: string) {
    this.#what = what
  }

  /**
   * Lets the call through. Calls in memory never wait, so the signal is checked only here.
   *
   * @throws `CLOSED` after `shut`; the signal's reason if it is aborted.
   */
  pass(signal?: AbortSignal): void {
    if (this.#shut) throw closedError(this.#what)
    signal?.throwIfAborted()
  }

  /** Rejects every call from now on. */
  shut(): void {
    this.#shut = true
  }
}
