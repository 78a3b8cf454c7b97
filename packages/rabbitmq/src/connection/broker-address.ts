import { unescape } from 'node:querystring'
import type { MisuseError } from '@taskledger/core/ports'
import { misuse } from '@taskledger/core/ports'

/** Where a broker listens, and the user to log in as. */
export interface BrokerAddress {
  /** With the password: never show it. */
  readonly url: string
  /** The address without user and password, for logs and errors. */
  readonly shown: string
  readonly user: string
  /** Never show it. */
  readonly password: string
  readonly vhost: string
  /** The interval of heartbeats, in seconds. */
  readonly heartbeatSeconds: number
}

/** The longest interval of heartbeats, in seconds. */
export const maxHeartbeatSeconds = 3_600

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
  const heartbeat = url.searchParams.get('heartbeat') ?? String(heartbeatSeconds)
  if (!/^\d+$/.test(heartbeat) || Number(heartbeat) < 1 || Number(heartbeat) > maxHeartbeatSeconds)
    throw wrongUrl(`an address whose heartbeat is not a whole number from 1 to ${maxHeartbeatSeconds}`)
  url.searchParams.set('heartbeat', heartbeat)
  const port = url.port === '' ? (url.protocol === 'amqps:' ? '5671' : '5672') : url.port
  const isGuest = url.username === '' && url.password === ''
  return {
    url: url.href,
    shown: `${url.protocol}//${url.hostname}:${port}`,
    // Unlike `decodeURIComponent`, this also reads a password with a lone percent sign.
    user: isGuest ? 'guest' : unescape(url.username),
    password: isGuest ? 'guest' : unescape(url.password),
    vhost: url.pathname.length > 1 ? unescape(url.pathname.slice(1)) : '/',
    heartbeatSeconds: Number(heartbeat),
  }
}

const parsed = (text: string): URL => {
  if (!URL.canParse(text)) throw wrongUrl('malformed')
  const url = new URL(text)
  if (url.protocol !== 'amqp:' && url.protocol !== 'amqps:') throw wrongUrl('not an amqp:// or amqps:// address')
  if (url.hostname === '') throw wrongUrl('an address without a host')
  return url
}
