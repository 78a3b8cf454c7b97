import type { Channel, ChannelModel } from 'amqplib'
import type { Logger } from '@taskledger/core/ports'
import { BackOff } from './back-off.ts'
import { settledWithin } from './bounded.ts'
import type { BrokerConnection } from './broker-connection.ts'
import { isRefusal, refusalOfOperation } from './refusals.ts'

/** How long to wait for the broker to close a channel, in milliseconds. */
const goodbyeMs = 1_000
/** A channel that has lived so long was a good one. In milliseconds. */
const steadyMs = 1_000

/** What a channel is for. */
export interface ChannelRole<C extends Channel> {
  /** As the log has it. */
  readonly name: string
  open(model: ChannelModel): Promise<C>
  /** Declares and consumes what the role needs. */
  setUp(channel: C): Promise<void>
  /** It is set up. */
  ready?(channel: C): void
  /** It could not be set up: what was known of the broker may be wrong. */
  failed?(): void
  /** It is gone, with all that was on it: deliveries, consumers, confirmations. */
  lost(channel: C): void
}

/**
 * A channel that is opened and set up again, for ever, whenever it is lost, be it with its connection or alone. (The library
 * recovers neither channels nor consumers, and a channel that the broker closes says nothing to its connection.)
 */
export class SupervisedChannel<C extends Channel> {
  readonly #role: ChannelRole<C>
  readonly #connection: BrokerConnection
  readonly #logger: Logger
  readonly #closing = new AbortController()
  #opened: { goodbye(): Promise<void> } | undefined
  #current: C | undefined
  #fault: Error | undefined
  #healthy = true
  #isReopening = false

  constructor(role: ChannelRole<C>, connection: BrokerConnection, logger: Logger) {
    this.#role = role
    this.#connection = connection
    this.#logger = logger
  }

  /** The channel, while it is set up. */
  get current(): C | undefined {
    return this.#current
  }

  /** Why the broker closed the channel that was lost last. */
  get fault(): Error | undefined {
    return this.#fault
  }

  /** Begins, and resolves when the channel is set up. @throws `MISCONFIGURED` where the broker refuses what the role needs. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => void this.#keepOpen(resolve, reject))
  }

  /** Makes a new channel in the place of this one. @param why For the log. */
  reopen(why: string): void {
    if (this.#isReopening || this.#opened === undefined) return
    this.#isReopening = true
    this.#logger.info({ role: this.#role.name }, `${why}: opening a new channel`)
    void this.#opened?.goodbye()
  }

  /** Closes the channel, within a second. Closing twice is fine. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#opened?.goodbye()
  }

  async #keepOpen(onFirst: () => void, onRefusal: (error: Error) => void): Promise<void> {
    const { signal } = this.#closing
    const backOff = new BackOff()
    while (!signal.aborted) {
      const openedAt = performance.now()
      try {
        const model = await this.#connection.whenOpen(signal)
        await this.#live(model, onFirst)
      } catch (error) {
        if (signal.aborted) return
        this.#role.failed?.()
        const refusal = refusalOfOperation(error, this.#role.name)
        this.#tellFailure(refusal ?? error)
        if (refusal !== undefined) onRefusal(refusal)
      }
      if (performance.now() - openedAt >= steadyMs) backOff.reset()
      await backOff.pause(signal)
    }
  }

  async #live(model: ChannelModel, onFirst: () => void): Promise<void> {
    const channel = await this.#role.open(model)
    this.#fault = undefined
    this.#isReopening = false
    const gone = new Promise<void>((resolve) => channel.once('close', resolve))
    // An error without a listener would end the process.
    channel.on('error', (error) => (this.#fault = error))
    // Closing what closes already fails, and where the connection dies meanwhile, a goodbye is never answered.
    const goodbye = (): Promise<void> => {
      channel.close().catch(() => {})
      return settledWithin(gone, goodbyeMs)
    }
    this.#opened = { goodbye }
    try {
      if (this.#closing.signal.aborted) return
      await this.#role.setUp(channel)
      this.#current = channel
      this.#tellHealthy()
      onFirst()
      this.#role.ready?.(channel)
      await gone
    } finally {
      this.#current = undefined
      this.#role.lost(channel)
      await goodbye()
      this.#opened = undefined
    }
    const { fault } = this
    if (fault !== undefined && !this.#closing.signal.aborted) throw fault
  }

  #tellHealthy(): void {
    if (!this.#healthy) this.#logger.info({ role: this.#role.name }, 'a channel that was lost works again')
    this.#healthy = true
  }

  /** Once for each change. Where the connection is gone, that has been told already. */
  #tellFailure(error: unknown): void {
    if (!this.#healthy || (!isRefusal(error) && this.#connection.model === undefined)) return
    this.#healthy = false
    const level = isRefusal(error) ? 'error' : 'warn'
    this.#logger[level]({ role: this.#role.name, err: error }, 'a channel was lost: opening it again until it works')
  }
}
