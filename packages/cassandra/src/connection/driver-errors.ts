import { errors, types } from 'cassandra-driver'
import { misconfigured, outcomeUnknown, TaskledgerError, unavailable } from '@taskledger/core/ports'

/** The kind of a request, which decides what its failure means. */
export type RequestKind = 'read' | 'write' | 'conditional'

const codes = types.responseErrorCodes

/** The server understood the request, and would refuse it again. */
const refusals: ReadonlySet<number> = new Set([
  codes.badCredentials,
  codes.syntaxError,
  codes.unauthorized,
  codes.invalid,
  codes.configError,
])

/**
 * The codes by which the coordinator says that it sent a plain write to no replica. They prove nothing for a
 * conditional write: its proposal may have been accepted before.
 */
const beforeAnyWrite: ReadonlySet<number> = new Set([codes.unavailableException, codes.isBootstrapping])

/**
 * Translates an error of the driver. The outcome of a write is unknown unless the error proves that nothing was
 * written: the server may still execute a request that timed out or whose connection broke. `hostsDown` adds what the
 * driver's error lacks: which hosts it did not ask, and why.
 */
export const translated = (error: unknown, kind: RequestKind, what: string, hostsDown = ''): Error => {
  if (error instanceof TaskledgerError) return error
  const text = `${what}: ${noHostWasAsked(error) && hostsDown !== '' ? `no host can be reached: ${hostsDown}` : messageOf(error)}`
  // Not a misconfiguration: the mutation exceeds Cassandra's size limit.
  if (isRefusal(error) && /oversized mutation|request is too big|batch too large/i.test(text))
    return new TaskledgerError('TOO_LARGE', text, { cause: error })
  if (isRefusal(error)) return misconfigured(text + remedyOf(error), error)
  if (kind === 'read' || wasNotSent(error) || isUndecided(error)) return unavailable(text, error)
  if (kind === 'write' && error instanceof errors.ResponseError && beforeAnyWrite.has(error.code)) return unavailable(text, error)
  return outcomeUnknown(text, error)
}

/**
 * Whether the server could not look up the user or its permissions, because the replicas that hold them did not answer.
 * The error then has the code of a refusal, but the request was neither refused nor executed.
 */
export const isUndecided = (error: unknown): boolean =>
  error instanceof errors.NoHostAvailableError
    ? hostErrorsOf(error).some(isUndecided) && hostErrorsOf(error).every((cause) => isUndecided(cause) || wasNotSent(cause))
    : error instanceof Error && /unable to perform auth(entication|orization)/i.test(error.message)

/** Whether the server refuses the request itself: a table or a permission is missing. */
export const isRefusal = (error: unknown): error is errors.ResponseError => {
  if (error instanceof errors.ResponseError) return refusals.has(error.code) && !isUndecided(error)
  // A statement is prepared on one host after another: the refusal is among the errors of the hosts.
  return error instanceof errors.NoHostAvailableError && hostErrorsOf(error).some(isRefusal)
}

/** Whether no byte of the request was sent: every host is down, or has no free connection. */
export const wasNotSent = (error: unknown): boolean => {
  if (error instanceof errors.NoHostAvailableError) return hostErrorsOf(error).every(wasNotSent)
  if (error instanceof errors.BusyConnectionError) return true
  if (typeof error === 'string' || error === null) return true
  if (!(error instanceof Error)) return false
  return ('requestNotWritten' in error && error.requestNotWritten === true) || error.message === 'No connection available'
}

/** Whether the driver considers every host to be down. */
const noHostWasAsked = (error: unknown): boolean =>
  error instanceof errors.NoHostAvailableError && hostErrorsOf(error).every((cause) => typeof cause === 'string')

/** The error of each host: an error, a text, or null for a host that was not asked. */
export const hostErrorsOf = (error: errors.NoHostAvailableError): readonly unknown[] => hostErrorsByAddress(error).map(([, cause]) => cause)

/** The errors of {@link hostErrorsOf}, each with the address of its host. */
export const hostErrorsByAddress = (error: errors.NoHostAvailableError): readonly (readonly [string, unknown])[] =>
  Object.entries((error.innerErrors ?? {}) as Record<string, unknown>)

/** The message of an error, with the error of each host. */
export const messageOf = (error: unknown): string => {
  if (error instanceof errors.NoHostAvailableError) {
    const hosts = hostErrorsByAddress(error)
    if (hosts.length === 0) return error.innerErrors === undefined ? error.message : `no host can be reached (${error.message})`
    return hosts.map(([host, cause]) => `${host} says: ${cause === null ? 'nothing yet' : messageOf(cause)}`).join('; ')
  }
  return error instanceof Error ? error.message : String(error)
}

const remedyOf = (error: unknown): string => {
  const text = messageOf(error)
  if (/unconfigured table|(table|keyspace) .* does not exist/i.test(text)) return ': call migrate() to create the schema'
  if (/no (CREATE|ALTER) permission/i.test(text)) return ': grant the user CREATE and ALTER, or call migrate() as a user who has them'
  if (/permission/i.test(text)) return ': grant the user SELECT and MODIFY on the keyspace'
  return ''
}
