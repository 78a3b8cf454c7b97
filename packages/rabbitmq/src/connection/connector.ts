import type { Duplex } from 'node:stream'
import type { ChannelModel } from 'amqplib'
import { connect, credentials } from 'amqplib'
import { within } from '@taskledger/core/ports'
import type { BrokerAddress } from './broker-address.ts'
import { gatherWrites } from './gather-writes.ts'
import { refusalOfConnection, textOf } from './refusals.ts'
import type { ConnectionOptions } from './renewed-options.ts'
import { certificateOf, optionsFor, refusalAfterHandshake } from './renewed-options.ts'
import type { Settings } from './settings.ts'

/** How long one address may take to accept a connection, in milliseconds. */
const maxAttemptMs = 5_000
/** How long to wait for the broker's answer to a close, in milliseconds. */
const closeTimeoutMs = 1_000

export interface Connected {
  readonly type: 'connected'
  readonly model: ChannelModel
  readonly address: BrokerAddress
}

export interface NotConnected {
  readonly type: 'notConnected'
  /** The first refusal, if a broker answered and refused the connection. */
  readonly refusal: Error | undefined
}

/** Connects to one of several addresses, and remembers the last error of each. */
export class Connector {
  readonly #role: string
  readonly #settings: Settings
  readonly #lastErrors = new Map<BrokerAddress, unknown>()
  #addressIndex = 0

  /** @param role The purpose of the connection, which the broker lists as part of its name. */
  constructor(role: string, settings: Settings) {
    this.#role = role
    this.#settings = settings
  }

  /** The last error of each address, in words. */
  get lastErrors(): string {
    return this.#settings.addresses
      .map((address) => `${address.shown}: ${this.#lastErrors.has(address) ? textOf(this.#lastErrors.get(address)) : 'no answer yet'}`)
      .join('; ')
  }

  /** Tries each address once, beginning with the one that accepted last. Tries no further address once the signal is aborted. */
  async connect(signal: AbortSignal): Promise<Connected | NotConnected> {
    const { addresses } = this.#settings
    let refusal: Error | undefined
    for (let count = 0; count < addresses.length && !signal.aborted; count++) {
      const address = addresses[this.#addressIndex] as BrokerAddress
      let options: ConnectionOptions = { address, socketOptions: {} }
      try {
        options = await this.#optionsFor(address)
        return { type: 'connected', model: await this.#connectTo(address, options), address: options.address }
      } catch (error) {
        this.#lastErrors.set(address, error)
        refusal ??= await refusalOf(error, options)
        this.#addressIndex = (this.#addressIndex + 1) % addresses.length
      }
    }
    return { type: 'notConnected', refusal }
  }

  async #optionsFor(address: BrokerAddress): Promise<ConnectionOptions> {
    const timeoutMs = Math.min(maxAttemptMs, this.#settings.connectTimeoutMs)
    const onTimeout = (): never => {
      throw new Error('the functions `credentials` and `socketOptions` did not answer in time')
    }
    return within(optionsFor(address, this.#settings), { timeoutMs, onTimeout })
  }

  async #connectTo(address: BrokerAddress, { address: { url, user, password }, socketOptions }: ConnectionOptions): Promise<ChannelModel> {
    const { connectTimeoutMs, prefix } = this.#settings
    const model = await connect(url, {
      // amqplib itself reads user and password from the url byte by byte, which spoils every letter that is not ASCII.
      credentials: credentials.plain(user, password),
      ...socketOptions,
      // Nagle's algorithm doubles the time of a confirmation. Without a timeout amqplib waits forever for a silent peer.
      noDelay: true,
      timeout: Math.min(maxAttemptMs, connectTimeoutMs),
      clientProperties: { connection_name: `${prefix}: ${this.#role}` },
    })
    const socket = socketOf(model)
    if (socket !== undefined) gatherWrites(socket)
    // An error without a listener would end the process.
    model.on('error', (error) => this.#lastErrors.set(address, error))
    return model
  }
}

/** The error if the broker refuses the connection; nothing for an error that may pass. */
const refusalOf = async (error: unknown, { address, socketOptions }: ConnectionOptions): Promise<Error | undefined> => {
  const refusal = refusalOfConnection(error, address)
  if (refusal !== undefined) return refusalOfConnection(error, address, await certificateOf(address))
  // amqplib does not tell why a broker closes a connection after the handshake of TLS.
  return /closed abruptly/i.test(textOf(error))
    ? refusalOfConnection(await refusalAfterHandshake({ address, socketOptions }), address)
    : undefined
}

/** Closes a connection, within a second. */
export const closeConnection = async (model: ChannelModel): Promise<void> => {
  const closed = new Promise<void>((resolve) => model.once('close', () => resolve()))
  // Closing a closed connection rejects. If the connection dies meanwhile, the broker never answers the close.
  await within(Promise.race([closed, model.close()]), { timeoutMs: closeTimeoutMs, onTimeout: () => undefined }).catch(() => {})
  destroySocket(model)
}

/** amqplib only ends its side of a socket: on a dead network the socket would linger for minutes, with the data not yet sent. */
export const destroySocket = (model: ChannelModel): void => void socketOf(model)?.destroy()

/** The socket is not part of amqplib's types, so a new release may move it. */
const socketOf = (model: ChannelModel): Duplex | undefined => (model.connection as unknown as { readonly stream?: Duplex }).stream
