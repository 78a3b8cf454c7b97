import { closedError } from '@taskledger/core/ports'

/** A port's share of a session. Closing the last share closes the session. */
export class SessionShare {
  readonly #port: string
  readonly #end: () => Promise<void>
  #closed: Promise<void> | undefined

  /** @param port The name of the port, for the error of a call after `close`. */
  constructor(port: string, end: () => Promise<void>) {
    this.#port = port
    this.#end = end
  }

  /**
   * Checks that the share is open. Every call of the port begins with this check.
   *
   * @throws `CLOSED` after `close`; the signal's reason if it is aborted.
   */
  enter(signal?: AbortSignal): void {
    if (this.#closed !== undefined) throw closedError(this.#port)
    signal?.throwIfAborted()
  }

  /** Closing twice is fine. */
  close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }
}
