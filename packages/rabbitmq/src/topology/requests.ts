import type { Channel, ChannelModel } from 'amqplib'
import { unavailable, within } from '@taskledger/core/ports'
import type { BrokerConnection } from '../connection/broker-connection.ts'

/** How long a request may take. */
export interface RequestBound {
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs: number
}

/**
 * Waits for a connection and runs a request on it, both within the bound.
 *
 * @param failure The first words of the error after a timeout: what could not be done.
 * @throws `UNAVAILABLE` after the timeout; the signal's reason; whatever the request throws.
 */
export const requestWhenOpen = async <T>(
  connection: BrokerConnection,
  failure: string,
  { signal, timeoutMs }: RequestBound,
  request: (model: ChannelModel) => Promise<T>,
): Promise<T> => {
  const waiting = new AbortController()
  try {
    return await within(connection.whenOpen(waiting.signal).then(request), {
      timeoutMs,
      signal,
      onTimeout: () => {
        throw unavailable(`${failure} within ${Math.round(timeoutMs)} ms: ${connection.state}`)
      },
    })
  } finally {
    // A caller that has gone must not leave a wait for the connection behind.
    waiting.abort()
  }
}

/** Runs a request on a channel of its own, because the broker closes the channel of a request that it refuses. */
export const onOwnChannel = async <T>(model: ChannelModel, request: (channel: Channel) => Promise<T>): Promise<T> => {
  const channel = await model.createChannel()
  channel.on('error', () => {})
  const answer = await request(channel)
  // Not awaited: if the connection dies meanwhile, the broker never answers the close.
  channel.close().catch(() => {})
  return answer
}
