import { errors, types } from 'cassandra-driver'
import { outcomeUnknown, TaskledgerError } from '@taskledger/core/ports'

/** What a request does, as far as its failures are concerned. */
export type RequestKind = 'read' | 'write' | 'conditional'

const codes = types.responseErrorCodes

/** The server understood the request and will refuse it again. */
const refusals: ReadonlySet<number> = new Set([
  codes.badCredentials,
  codes.syntaxError,
  codes.unauthorized,
  codes.invalid,
  codes.configError,
])

/** No replica was asked for a plain write. A conditional one may meet them after its proposal was accepted. */
const beforeAnyWrite: ReadonlySet<number> = new Set([codes.unavailableException, codes.isBootstrapping])

/**
 * What a failure of the driver means to a caller. Whatever does not prove that nothing happened leaves the outcome of a write
 * unknown: a request that timed out, or whose connection broke, may still be carried out by the server. `hostsDown` says in words
 * what the driver's error does not: which hosts it did not even ask, and why.
 */
export const translated = (error: unknown, kind: RequestKind, what: string, hostsDown = ''): Error => {
  if (error instanceof TaskledgerError) return error
  const text = `${what}: ${nobodyWasAsked(error) && hostsDown !== '' ? `no host can be reached: ${hostsDown}` : messageOf(error)}`
  // Nothing is to be mended in the cluster: what it was given is more than it takes at once.
  if (isRefusal(error) && /oversized mutation|request is too big|batch too large/i.test(text))
    return new TaskledgerError('TOO_LARGE', text, { cause: error })
  if (isRefusal(error)) return new TaskledgerError('MISCONFIGURED', text + remedyOf(error), { cause: error })
  if (kind === 'read' || wasNotSent(error) || isUndecided(error)) return new TaskledgerError('UNAVAILABLE', text, { cause: error })
  if (kind === 'write' && error instanceof errors.ResponseError && beforeAnyWrite.has(error.code))
    return new TaskledgerError('UNAVAILABLE', text, { cause: error })
  return outcomeUnknown(text, error)
}

/**
 * Whether the server could not find out who is asking and what he may do, as when the replicas that know do not answer it: it gives
 * the code of a refusal then, and nothing was refused. Nothing was carried out either.
 */
export const isUndecided = (error: unknown): boolean =>
  error instanceof errors.NoHostAvailableError
    ? hostErrorsOf(error).some(isUndecided) && hostErrorsOf(error).every((said) => isUndecided(said) || wasNotSent(said))
    : error instanceof Error && /unable to perform auth(entication|orization)/i.test(error.message)

/** Whether the server refuses the request as such: a table that is not there, a permission that is missing. */
export const isRefusal = (error: unknown): error is errors.ResponseError => {
  if (error instanceof errors.ResponseError) return refusals.has(error.code) && !isUndecided(error)
  // Preparing a statement fails on each host in turn: the refusal is inside.
  return error instanceof errors.NoHostAvailableError && hostErrorsOf(error).some(isRefusal)
}

/** Whether no byte of the request went out: every host is known to be down, or its connections are full. */
export const wasNotSent = (error: unknown): boolean => {
  if (error instanceof errors.NoHostAvailableError) return hostErrorsOf(error).every(wasNotSent)
  if (error instanceof errors.BusyConnectionError) return true
  if (typeof error === 'string' || error === null) return true
  if (!(error instanceof Error)) return false
  return ('requestNotWritten' in error && error.requestNotWritten === true) || error.message === 'No connection available'
}

/** Whether each host, if any, is one that the driver takes to be down. */
const nobodyWasAsked = (error: unknown): boolean =>
  error instanceof errors.NoHostAvailableError && hostErrorsOf(error).every((said) => typeof said === 'string')

/** What each host said, as an error, or as words, or null for one that was not asked in the end. */
export const hostErrorsOf = (error: errors.NoHostAvailableError): readonly unknown[] =>
  Object.values((error.innerErrors ?? {}) as Record<string, unknown>)

/** The error in words, with what each host said. */
export const messageOf = (error: unknown): string => {
  if (error instanceof errors.NoHostAvailableError) {
    const hosts = Object.entries((error.innerErrors ?? {}) as Record<string, unknown>)
    if (hosts.length === 0) return error.innerErrors === undefined ? error.message : `no host can be reached (${error.message})`
    return hosts.map(([host, said]) => `${host} says: ${said === null ? 'nothing yet' : messageOf(said)}`).join('; ')
  }
  return error instanceof Error ? error.message : String(error)
}

const remedyOf = (error: unknown): string => {
  const text = messageOf(error)
  if (/unconfigured table|(table|keyspace) .* does not exist/i.test(text)) return '. Call migrate() to create the schema'
  if (/no (CREATE|ALTER) permission/i.test(text)) return '. Grant the user CREATE and ALTER, or call migrate() as one who has them'
  if (/permission/i.test(text)) return '. Grant the user SELECT and MODIFY on the keyspace'
  return ''
}
