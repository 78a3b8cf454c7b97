import type { Channel, ChannelModel } from 'amqplib'
import type { Logger } from '@taskledger/core/ports'
import { within } from '@taskledger/core/ports'
import { BackOff } from './back-off.ts'
import type { BrokerConnection } from './broker-connection.ts'
import { explained } from './closes.ts'
import { isRefusal } from './refusals.ts'

/** How long to wait for the broker to close a channel, in milliseconds. */
const closeTimeoutMs = 1_000
/** A channel that lasted this long resets the back-off. In milliseconds. */
const steadyMs = 1_000

/** The purpose of a channel. */
export interface ChannelRole<C extends Channel> {
  /** For the log and for errors. */
  readonly name: string
  open(model: ChannelModel): Promise<C>
  /** Declares and consumes what the role needs. */
  setUp(channel: C): Promise<void>
  onReady?(channel: C): void
  /** The channel could not be set up: what is known of the broker may be wrong. */
  onSetUpFailed?(): void
  /** The channel is gone, with its deliveries, consumers and confirmations. */
  onLost(channel: C): void
}

/**
 * A channel that is opened and set up again, without limit, whenever it is lost, with its connection or alone. (amqplib recovers
 * neither channels nor consumers, and does not tell the connection of a channel that the broker closes.)
 */
export class SupervisedChannel<C extends Channel> {
  readonly #role: ChannelRole<C>
  readonly #connection: BrokerConnection
  readonly #logger: Logger
  readonly #closing = new AbortController()
  #closeChannel: (() => Promise<void>) | undefined
  #current: C | undefined
  #fault: Error | undefined
  #isHealthy = true
  #isReopening = false

  constructor(parts: { readonly role: ChannelRole<C>; readonly connection: BrokerConnection; readonly logger: Logger }) {
    this.#role = parts.role
    this.#connection = parts.connection
    this.#logger = parts.logger
  }

  /** The channel, while it is set up. */
  get current(): C | undefined {
    return this.#current
  }

  /** Why the broker closed the latest channel. */
  get fault(): Error | undefined {
    return this.#fault
  }

  /** Begins, and resolves when the channel is set up. @throws `MISCONFIGURED` where the broker refuses what the role needs. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => void this.#keepOpen(resolve, reject))
  }

  /** Replaces the channel by a new one. @param why For the log. */
  reopen(why: string): void {
    if (this.#isReopening || this.#closeChannel === undefined) return
    this.#isReopening = true
    this.#logger.info({ role: this.#role.name }, `reopening a channel: ${why}`)
    void this.#closeChannel()
  }

  /** Closes the channel, within a second. Closing twice is fine. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#closeChannel?.()
  }

  async #keepOpen(onFirstReady: () => void, onRefusal: (error: Error) => void): Promise<void> {
    const { signal } = this.#closing
    const backOff = new BackOff()
    while (!signal.aborted) {
      const openedAt = performance.now()
      try {
        const model = await this.#connection.whenOpen(signal)
        await this.#untilLost(model, onFirstReady)
      } catch (error) {
        if (signal.aborted) return
        this.#role.onSetUpFailed?.()
        const explanation = explained(error, `the ${this.#role.name}`)
        this.#logLost(explanation)
        if (isRefusal(explanation)) onRefusal(explanation)
      }
      if (performance.now() - openedAt >= steadyMs) backOff.reset()
      await backOff.pause(signal)
    }
  }

  async #untilLost(model: ChannelModel, onFirstReady: () => void): Promise<void> {
    const channel = await this.#role.open(model)
    this.#fault = undefined
    this.#isReopening = false
    const lost = new Promise<void>((resolve) => channel.once('close', resolve))
    // An error without a listener would end the process.
    channel.on('error', (error) => (this.#fault = error))
    // Closing a closing channel rejects. If the connection dies meanwhile, the broker never answers the close.
    const closeChannel = (): Promise<void> => {
      channel.close().catch(() => {})
      return within(lost, { timeoutMs: closeTimeoutMs, onTimeout: () => undefined })
    }
    this.#closeChannel = closeChannel
    try {
      if (this.#closing.signal.aborted) return
      await this.#role.setUp(channel)
      this.#current = channel
      this.#logReopened()
      onFirstReady()
      this.#role.onReady?.(channel)
      await lost
    } finally {
      this.#current = undefined
      this.#role.onLost(channel)
      await closeChannel()
      this.#closeChannel = undefined
    }
    const { fault } = this
    if (fault !== undefined && !this.#closing.signal.aborted) throw fault
  }

  #logReopened(): void {
    if (!this.#isHealthy) this.#logger.info({ role: this.#role.name }, 'reopened a lost channel')
    this.#isHealthy = true
  }

  /** Logs each change once. Without a connection it logs nothing, because the connection has done so. */
  #logLost(error: unknown): void {
    if (!this.#isHealthy || (!isRefusal(error) && this.#connection.model === undefined)) return
    this.#isHealthy = false
    const level = isRefusal(error) ? 'error' : 'warn'
    this.#logger[level]({ role: this.#role.name, err: error }, 'lost a channel: reopening it until that works')
  }
}
