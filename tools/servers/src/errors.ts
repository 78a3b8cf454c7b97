/** No server can be had on this machine as it is; says what to install or set. */
export class ServerNotAvailable extends Error {
  override readonly name = 'ServerNotAvailable'
  /** What to do about it, in one sentence. */
  readonly remedy: string

  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(`${message}. ${remedy}`, options)
    this.remedy = remedy
  }
}

/** The environment names a server, or a way to get one, that does not work. It is never passed over in silence. */
export class WrongEnvironment extends Error {
  override readonly name = 'WrongEnvironment'
}

/** What an error says, the errors within it included: the drivers hide the cause of a failed connection there. */
export const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const within = error instanceof AggregateError ? error.errors : Object.values('innerErrors' in error ? (error.innerErrors ?? {}) : {})
  // Where there are errors within, the driver's own message repeats the first of them with its stack.
  const reasons = (within.length > 0 ? within.map(reasonOf) : [error.message]).filter((reason) => reason !== '')
  return reasons.length > 0 ? [...new Set(reasons)].join(': ') : String('code' in error ? error.code : error.name)
}
