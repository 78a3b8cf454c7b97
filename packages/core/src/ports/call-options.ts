/** What every call that leaves the process takes. */
export interface CallOptions {
  /**
   * Ends the wait: the call rejects promptly with the signal's reason. An `append` or `send` that was under way may still
   * have happened.
   */
  readonly signal?: AbortSignal | undefined
}
