/** The options of every call that leaves the process. */
export interface CallOptions {
  /**
   * Ends the wait: the call rejects promptly with the signal's reason. A running `append` or `send` may still happen.
   */
  readonly signal?: AbortSignal | undefined
}
