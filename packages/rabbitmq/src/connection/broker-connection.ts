import type { ChannelModel } from 'amqplib'
import { closedError, onAbort, unavailable, within } from '@taskledger/core/ports'
import { BackOff } from './back-off.ts'
import { explained } from './closes.ts'
import type { Connected, NotConnected } from './connector.ts'
import { closeConnection, Connector, destroySocket } from './connector.ts'
import type { Settings } from './settings.ts'

/** A connection that lasted this long resets the back-off. In milliseconds. */
const steadyMs = 1_000

/** A connection that is opened again, without limit, whenever it is lost. Its channels are lost with it: their owners reopen them. */
export class BrokerConnection {
  readonly #role: string
  readonly #settings: Settings
  readonly #connector: Connector
  readonly #closing = new AbortController()
  readonly #listeners = new Set<() => void>()
  #model: ChannelModel | undefined
  #blockedBecause: string | undefined
  #logged: 'nothing' | 'open' | 'down' | 'refused' = 'nothing'

  /** @param role The purpose of the connection, for the log. */
  constructor(role: string, settings: Settings) {
    this.#role = role
    this.#settings = settings
    this.#connector = new Connector(role, settings)
  }

  /** amqplib's connection, while there is one. */
  get model(): ChannelModel | undefined {
    return this.#model
  }

  /** Why the broker blocks publishers, while it does. */
  get blockedBecause(): string | undefined {
    return this.#blockedBecause
  }

  /** The last error of each address, in words. */
  get lastErrors(): string {
    return this.#connector.lastErrors
  }

  /** The state of the connection, in words for an error. */
  get state(): string {
    if (this.#blockedBecause !== undefined) return `the broker blocks publishers (${this.#blockedBecause})`
    return this.#model === undefined ? `not connected (${this.lastErrors})` : 'connected'
  }

  /** Calls back when the connection was opened, lost, blocked, unblocked or closed. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener)
  }

  /**
   * Begins to connect, and resolves when it is connected.
   *
   * @throws `MISCONFIGURED` where a broker refuses the connection and no other broker accepts it; `UNAVAILABLE` where none could be
   * reached in time.
   */
  async open(): Promise<void> {
    const { connectTimeoutMs } = this.#settings
    const refused = new Promise<never>((_resolve, reject) => void this.#keepOpen(reject))
    refused.catch(() => {})
    try {
      await within(Promise.race([this.whenOpen(), refused]), {
        timeoutMs: connectTimeoutMs,
        onTimeout: () => {
          throw unavailable(
            `could not connect to a broker within ${connectTimeoutMs} ms (${this.lastErrors}): check the url, and that the broker runs and can be reached from this machine`,
          )
        },
      })
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /** Resolves when there is a connection. Rejects only when this is closed, or with the signal's reason. */
  whenOpen(signal?: AbortSignal): Promise<ChannelModel> {
    if (this.#closing.signal.aborted) return Promise.reject(closedError('the connection to the broker'))
    if (this.#model !== undefined) return Promise.resolve(this.#model)
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (this.#model !== undefined) end(() => resolve(this.#model as ChannelModel))
        else if (this.#closing.signal.aborted) end(() => reject(closedError('the connection to the broker')))
        else if (signal?.aborted === true) end(() => reject(signal.reason as Error))
      }
      const end = (settle: () => void): void => {
        this.#listeners.delete(check)
        unlisten?.()
        settle()
      }
      this.#listeners.add(check)
      const unlisten = signal && onAbort(signal, check)
      check()
    })
  }

  /** Closes the connection, within a second, and does not open it again. Closing twice is fine. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    this.#callListeners()
    if (this.#model !== undefined) await closeConnection(this.#model)
  }

  async #keepOpen(onRefusal: (error: Error) => void): Promise<void> {
    const { signal } = this.#closing
    const backOff = new BackOff()
    while (!signal.aborted) {
      const outcome = await this.#connector.connect(signal)
      if (signal.aborted) {
        if (outcome.type === 'connected') await closeConnection(outcome.model)
        return
      }
      this.#logOutcome(outcome)
      if (outcome.type === 'connected') {
        const openedAt = performance.now()
        await this.#untilLost(outcome.model)
        if (performance.now() - openedAt >= steadyMs) backOff.reset()
      } else if (outcome.refusal !== undefined) onRefusal(outcome.refusal)
      await backOff.pause(signal)
    }
  }

  async #untilLost(model: ChannelModel): Promise<void> {
    const lost = new Promise<Error | undefined>((resolve) => model.once('close', resolve))
    model.on('blocked', (reason) => this.#setBlocked(reason))
    model.on('unblocked', () => this.#setBlocked(undefined))
    this.#model = model
    this.#callListeners()
    const reason = await lost
    destroySocket(model)
    this.#model = undefined
    this.#blockedBecause = undefined
    if (!this.#closing.signal.aborted) this.#log('down', errorField(explained(reason, 'the connection')))
    this.#callListeners()
  }

  #setBlocked(reason: string | undefined): void {
    const { logger } = this.#settings
    this.#blockedBecause = reason
    if (reason === undefined) logger.info({ connection: this.#role }, 'unblocked by the broker: publishing goes on')
    else logger.warn({ connection: this.#role, reason }, 'blocked by the broker: it is short of memory or disk, so messages wait')
    this.#callListeners()
  }

  #logOutcome(outcome: Connected | NotConnected): void {
    if (outcome.type === 'notConnected') return this.#log(outcome.refusal === undefined ? 'down' : 'refused', errorField(outcome.refusal))
    const { shown, user } = outcome.address
    this.#log('open', { address: shown, user, version: outcome.model.connection.serverProperties.version })
  }

  /** Logs each change once, not each attempt. */
  #log(state: 'open' | 'down' | 'refused', fields: object): void {
    const before = this.#logged
    if (before === state) return
    this.#logged = state
    const { logger } = this.#settings
    const all = { connection: this.#role, ...fields }
    switch (state) {
      case 'open':
        return logger.info(all, 'connected to the broker')
      case 'down':
        return logger.warn(
          { ...all, addresses: this.lastErrors },
          before === 'open' ? 'lost the connection to the broker: reconnecting' : 'cannot connect to the broker: retrying',
        )
      case 'refused':
        return logger.error(all, 'refused by the broker: a start fails, a running node retries')
      default:
        state satisfies never
    }
  }

  #callListeners(): void {
    for (const listener of this.#listeners) listener()
  }
}

/** The field of a log line, left out if there is no error. */
const errorField = (error: unknown): { readonly err?: unknown } => (error === undefined ? {} : { err: error })
