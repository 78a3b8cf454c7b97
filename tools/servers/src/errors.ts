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

/** What an error says, or those within it: the drivers hide there why each address failed. */
export const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const inner: readonly unknown[] =
    error instanceof AggregateError ? error.errors : Object.values('innerErrors' in error ? (error.innerErrors ?? {}) : {})
  if (inner.length > 0) return [...new Set(inner.map(reasonOf))].join(', ')
  if (error.message !== '') return error.message
  return String('code' in error ? error.code : error.name)
}
