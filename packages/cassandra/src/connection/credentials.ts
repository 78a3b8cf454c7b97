import { callbackify } from 'node:util'
import { auth } from 'cassandra-driver'
import { misconfigured, within } from '@taskledger/core/ports'
import type { CassandraAddress, CassandraCredentials } from './options.ts'

/** Whether a value has a user and a password. */
export const isCredentials = (value: unknown): value is CassandraCredentials =>
  typeof value === 'object' &&
  value !== null &&
  (['username', 'password'] as const).every((name) => typeof Reflect.get(value, name) === 'string')

/** How long the caller's function may take, in milliseconds. */
const timeoutMs = 5_000

const onTimeout = (): never => {
  throw new Error(`the function \`credentials\` did not answer within ${timeoutMs} ms`)
}

type GetCredentials = Extract<NonNullable<CassandraAddress['credentials']>, () => unknown>

/** Logs in with the credentials that the caller's function gives for each connection. */
export class RenewedCredentials extends auth.PlainTextAuthProvider {
  readonly #get: GetCredentials

  constructor(get: GetCredentials) {
    super('', '')
    this.#get = get
  }

  override newAuthenticator(endpoint: string, name: string): auth.Authenticator {
    const withPassword = callbackify(async () => {
      const given: unknown = await within(Promise.resolve(this.#get()), { timeoutMs, onTimeout })
      if (!isCredentials(given)) throw misconfigured('the function `credentials` gave no username and password: both have to be texts')
      return new auth.PlainTextAuthProvider(given.username, given.password).newAuthenticator(endpoint, name)
    })
    return {
      initialResponse: (callback: (error?: Error | null, token?: Buffer) => void) =>
        withPassword((error, authenticator) => (error === null ? authenticator.initialResponse(callback) : callback(error))),
      evaluateChallenge: (_challenge: Buffer, callback: (error?: Error | null) => void) => callback(),
      onAuthenticationSuccess: () => {},
    }
  }
}
