import { unescape } from 'node:querystring'
import { within } from '@taskledger/core/ports'
import type { SocketOptions } from 'amqplib'
import { connect, credentials } from 'amqplib'
import { bounded } from '../errors.ts'
import type { AmqpEndpoint } from './endpoint.ts'

/**
 * The user and the password of an address, for the options of amqplib's `connect`: it reads an address byte by byte, which spoils every
 * letter that is not ASCII.
 */
export const credentialsIn = (url: string): Pick<SocketOptions, 'credentials'> => {
  if (!URL.canParse(url)) return {}
  const { username, password } = new URL(url)
  return username === '' && password === '' ? {} : { credentials: credentials.plain(unescape(username), unescape(password)) }
}

/** Whether a RabbitMQ completes the AMQP handshake with these credentials. Rejects with the reason where it does not. */
export const probeRabbitmq = async (url: string, timeoutMs: number): Promise<AmqpEndpoint> => {
  const opening = connect(url, { timeout: timeoutMs, ...credentialsIn(url) })
  try {
    const connection = await within(opening, bounded(`asking ${withoutPassword(url)}`, timeoutMs))
    connection.on('error', () => {})
    const { version } = connection.connection.serverProperties
    await within(connection.close(), bounded('closing the connection', timeoutMs))
    return { url, version }
  } catch (error) {
    // The connection may open after all, when nothing waits for it any more.
    opening.then(
      (connection) => connection.close(),
      () => {},
    )
    throw error
  }
}

/** The address without user and password. A password may contain `/`, `?`, `#` and `@` that nobody encoded: all up to the last `@` goes. */
export const withoutPassword = (url: string): string => url.replace(/(:\/\/|^).*@/s, '$1')
