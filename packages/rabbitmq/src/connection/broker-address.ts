import type { MisuseError } from '@taskledger/core/ports'
import { misuse } from '@taskledger/core/ports'

/** Where a broker listens, and the user to log in as. */
export interface BrokerAddress {
  /** With the password: never show it. */
  readonly url: string
  /** The address without user and password, for logs and errors. */
  readonly shown: string
  readonly user: string
  readonly vhost: string
}

/** Makes the error of a wrong url. It does not show the url, which may hold a password. */
export const wrongUrl = (problem: string): MisuseError<'MISUSE'> =>
  misuse(`url is ${problem}: give an address like amqp://user:password@host:port/vhost, or a list of them`)

/**
 * Reads one `amqp://` or `amqps://` URL.
 *
 * @throws `MISUSE` for a wrong one.
 */
export const brokerAddress = (text: string, heartbeatSeconds: number): BrokerAddress => {
  const url = parsed(text)
  // A heartbeat in the URL is for this broker, so it takes precedence over the option.
  if (!url.searchParams.has('heartbeat')) url.searchParams.set('heartbeat', String(heartbeatSeconds))
  const port = url.port === '' ? (url.protocol === 'amqps:' ? '5671' : '5672') : url.port
  return {
    url: url.href,
    shown: `${url.protocol}//${url.hostname}:${port}`,
    user: url.username === '' ? 'guest' : unescaped(url.username),
    vhost: url.pathname.length > 1 ? unescaped(url.pathname.slice(1)) : '/',
  }
}

const parsed = (text: string): URL => {
  if (!URL.canParse(text)) throw wrongUrl('malformed')
  const url = new URL(text)
  if (url.protocol !== 'amqp:' && url.protocol !== 'amqps:') throw wrongUrl('not an amqp:// or amqps:// address')
  if (url.hostname === '') throw wrongUrl('an address without a host')
  return url
}

const unescaped = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
