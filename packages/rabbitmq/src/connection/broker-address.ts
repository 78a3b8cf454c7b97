import { misuse } from '@taskledger/core/ports'

/** Where a broker listens, and as whom to go there. */
export interface BrokerAddress {
  /** With the password: never to be shown. */
  readonly url: string
  /** Without it. */
  readonly shown: string
  readonly user: string
  readonly vhost: string
}

/**
 * Reads one `amqp://` or `amqps://` URL.
 *
 * @throws `MISUSE` for what is none. The message does not repeat the URL, which may hold a password.
 */
export const brokerAddress = (text: string, heartbeatSeconds: number): BrokerAddress => {
  const url = parsed(text)
  // What stands in the URL is meant for this broker, so it counts for more than the option.
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
  if (!URL.canParse(text)) throw misuse('url: each has to look like amqp://user:password@host:port/vhost')
  const url = new URL(text)
  if (url.protocol !== 'amqp:' && url.protocol !== 'amqps:')
    throw misuse(`url: each begins with amqp:// or amqps://, not with ${url.protocol}`)
  if (url.hostname === '') throw misuse('url: each has to name a host')
  return url
}

const unescaped = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
