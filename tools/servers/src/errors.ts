/** No server can be had on this machine as it is. The message says what to install or set. */
export class ServerNotAvailable extends Error {
  override readonly name = 'ServerNotAvailable'
  /** What to do about it, in one sentence. */
  readonly remedy: string

  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(`${message}. ${remedy}`, options)
    this.remedy = remedy
  }
}

/** The environment names a server, or a place to look, that does not work. The search then ends: the next place is not tried. */
export class WrongEnvironment extends Error {
  override readonly name = 'WrongEnvironment'
}

/** The message of an error, or of the errors inside it: drivers put the reason why each address failed there. */
export const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const inner: readonly unknown[] =
    error instanceof AggregateError ? error.errors : Object.values('innerErrors' in error ? (error.innerErrors ?? {}) : {})
  if (inner.length > 0) return [...new Set(inner.map(reasonOf))].join(', ')
  if (error.message !== '') return error.message
  return String('code' in error ? error.code : error.name)
}

/** Bounds a step, for `within`: after the time, an error that names the step. */
export const bounded = (step: string, timeoutMs: number): { readonly timeoutMs: number; onTimeout(): never } => ({
  timeoutMs,
  onTimeout: () => {
    throw new Error(`${step} took longer than ${timeoutMs / 1000} s`)
  },
})
