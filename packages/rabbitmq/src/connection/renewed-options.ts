import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { connect, createSecureContext } from 'node:tls'
import type { NodeTls } from '@taskledger/core/ports'
import { checkTlsOptions, isMisuse, misconfigured, shownCertificate } from '@taskledger/core/ports'
import type { BrokerAddress } from './broker-address.ts'
import type { RabbitmqCredentials, RabbitmqMessagingOptions } from './options.ts'

type GivenOptions = Pick<RabbitmqMessagingOptions, 'credentials' | 'socketOptions'>

/** What one connection is opened with. */
export interface ConnectionOptions {
  /** With the user of the credentials, if there are any. */
  readonly address: BrokerAddress
  readonly socketOptions: object
}

/** What core needs of Node to check certificates. */
const node: NodeTls = { connect, createSecureContext, X509Certificate }

/** @throws `MISUSE` for a `ca`, `cert` or `key` that cannot be used. */
export const checkCertificates = (name: string, value: unknown): object => checkTlsOptions(name, value, node)

/** Whether a value has a user and a password. */
export const isCredentials = (value: unknown): value is RabbitmqCredentials =>
  typeof value === 'object' &&
  value !== null &&
  (['username', 'password'] as const).every((name) => typeof Reflect.get(value, name) === 'string')

/**
 * The options of the next connection to a broker: calls the functions that the caller gave.
 *
 * @throws `MISCONFIGURED` for a returned value that cannot be used; whatever a function throws.
 */
export const optionsFor = async (address: BrokerAddress, { credentials, socketOptions }: GivenOptions): Promise<ConnectionOptions> => {
  const login: unknown = typeof credentials === 'function' ? await credentials() : credentials
  if (login !== undefined && !isCredentials(login))
    throw misconfigured('the function `credentials` gave no username and password: both have to be texts')
  return {
    address: login === undefined ? address : { ...address, user: login.username, password: login.password },
    socketOptions: typeof socketOptions === 'function' ? checkedNow(await socketOptions()) : (socketOptions ?? {}),
  }
}

const checkedNow = (value: unknown): object => {
  try {
    return checkCertificates('socketOptions', value)
  } catch (error) {
    throw isMisuse(error) ? misconfigured(error.message, error) : error
  }
}

/** Where a broker listens for TLS; `undefined` if it is asked without TLS. */
const tlsServerOf = ({ url }: BrokerAddress): { readonly host: string; readonly port: number } | undefined => {
  const { hostname, port, protocol } = new URL(url)
  return protocol === 'amqps:' ? { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port === '' ? 5671 : port) } : undefined
}

/** The certificate of a broker, in words; `undefined` if it has none. */
export const certificateOf = async (address: BrokerAddress): Promise<string | undefined> => {
  const server = tlsServerOf(address)
  return server && shownCertificate(server, node)
}

/** How long a broker may take to refuse a client after the handshake of TLS, in milliseconds. */
const refusalMs = 1_000

/**
 * The error of a broker that refuses a client after the handshake: with TLS 1.3 the client has finished it before the broker checks the
 * certificate of the client. Sends nothing.
 */
export const refusalAfterHandshake = ({ address, socketOptions }: ConnectionOptions): Promise<Error | undefined> => {
  const server = tlsServerOf(address)
  if (server === undefined) return Promise.resolve(undefined)
  return new Promise((resolve) => {
    const socket = connect({
      ...(isIP(server.host) === 0 ? { servername: server.host } : {}),
      ...socketOptions,
      ...server,
      timeout: refusalMs,
    })
    const end = (error?: Error): void => {
      resolve(error)
      socket.destroy()
    }
    socket.on('error', end)
    socket.once('close', () => end())
    socket.once('timeout', () => end())
  })
}
