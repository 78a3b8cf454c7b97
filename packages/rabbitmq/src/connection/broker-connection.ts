import type { Duplex } from 'node:stream'
import type { ChannelModel } from 'amqplib'
import { connect } from 'amqplib'
import { closedError, onAbort, TaskledgerError } from '@taskledger/core/ports'
import { BackOff } from './back-off.ts'
import { bounded, settledWithin } from './bounded.ts'
import type { BrokerAddress } from './broker-address.ts'
import { gatherWrites } from './gather-writes.ts'
import { refusalOfConnection, textOf } from './refusals.ts'
import type { Settings } from './settings.ts'

/** A connection that has lived so long was a good one: the next attempt after it comes soon. In milliseconds. */
const steadyMs = 1_000
/** How long one address may take to let us in, in milliseconds. */
const attemptMs = 5_000
/** How long to wait for the broker's goodbye, in milliseconds. */
const goodbyeMs = 1_000

/**
 * A connection that is opened again, for ever, whenever it is lost. What stood on it is gone then: whoever has channels
 * listens for changes.
 */
export class BrokerConnection {
  readonly #role: string
  readonly #settings: Settings
  readonly #closing = new AbortController()
  readonly #listeners = new Set<() => void>()
  /** What each address said last. */
  readonly #said = new Map<BrokerAddress, unknown>()
  #model: ChannelModel | undefined
  #blockedBecause: string | undefined
  #addressIndex = 0
  #told: 'nothing' | 'open' | 'down' | 'refused' = 'nothing'

  /** @param role What it is for, as the log has it. */
  constructor(role: string, settings: Settings) {
    this.#role = role
    this.#settings = settings
  }

  /** The library's connection, while there is one. */
  get model(): ChannelModel | undefined {
    return this.#model
  }

  /** Why the broker takes no messages at present, where it said so. */
  get blockedBecause(): string | undefined {
    return this.#blockedBecause
  }

  /** What the addresses said when they were tried last. */
  get lastWords(): string {
    return this.#settings.addresses
      .map((address) => `${address.shown}: ${this.#said.has(address) ? textOf(this.#said.get(address)) : 'no answer yet'}`)
      .join('; ')
  }

  /** How it is, in words for an error. */
  get state(): string {
    if (this.#blockedBecause !== undefined) return `the broker takes no messages (${this.#blockedBecause})`
    return this.#model === undefined ? `no connection (${this.lastWords})` : 'connected'
  }

  /** Calls back when it was opened or lost, blocked or unblocked. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener)
  }

  /**
   * Begins to connect, and resolves when it is connected.
   *
   * @throws `MISCONFIGURED` where a broker refuses us and no other lets us in; `UNAVAILABLE` where none could be reached in time.
   */
  async open(): Promise<void> {
    const { connectTimeoutMs } = this.#settings
    const refused = new Promise<never>((_resolve, reject) => void this.#keepOpen(reject))
    refused.catch(() => {})
    try {
      await bounded(Promise.race([this.whenOpen(), refused]), {
        timeoutMs: connectTimeoutMs,
        onTimeout: () =>
          new TaskledgerError(
            'UNAVAILABLE',
            `no broker could be reached within ${connectTimeoutMs} ms (${this.lastWords}): check the url, and that the broker runs and may be reached from here`,
          ),
      })
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /** Resolves when there is a connection. Rejects only when it is closed for good, or by the signal. */
  whenOpen(signal?: AbortSignal): Promise<ChannelModel> {
    if (this.#closing.signal.aborted) return Promise.reject(closedError('the connection to the broker'))
    if (this.#model !== undefined) return Promise.resolve(this.#model)
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (this.#model !== undefined) end(() => resolve(this.#model as ChannelModel))
        else if (this.#closing.signal.aborted) end(() => reject(closedError('the connection to the broker')))
        else if (signal?.aborted === true) end(() => reject(signal.reason as Error))
      }
      const end = (settle: () => void): void => {
        this.#listeners.delete(look)
        leave?.()
        settle()
      }
      this.#listeners.add(look)
      const leave = signal && onAbort(signal, look)
      look()
    })
  }

  /** Says goodbye, within a second, and connects no more. Closing twice is fine. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    this.#tellListeners()
    if (this.#model !== undefined) await farewell(this.#model)
  }

  async #keepOpen(onRefusal: (error: Error) => void): Promise<void> {
    const backOff = new BackOff()
    while (!this.#closing.signal.aborted) {
      const model = await this.#tryEach(onRefusal)
      if (model !== undefined) {
        const openedAt = performance.now()
        await this.#live(model)
        if (performance.now() - openedAt >= steadyMs) backOff.reset()
      }
      await backOff.pause(this.#closing.signal)
    }
  }

  /** One round through the addresses, beginning with the one that let us in last. */
  async #tryEach(onRefusal: (error: Error) => void): Promise<ChannelModel | undefined> {
    const { addresses } = this.#settings
    let refusal: Error | undefined
    for (let count = 0; count < addresses.length; count++) {
      const address = addresses[this.#addressIndex] as BrokerAddress
      const outcome = await this.#try(address)
      if (this.#closing.signal.aborted) return undefined
      if (!(outcome instanceof Error)) return outcome
      this.#said.set(address, outcome)
      refusal ??= refusalOfConnection(outcome, address)
      this.#addressIndex = (this.#addressIndex + 1) % addresses.length
    }
    this.#tell(refusal === undefined ? 'down' : 'refused', { err: refusal })
    if (refusal !== undefined) onRefusal(refusal)
    return undefined
  }

  async #try({ url, user, shown }: BrokerAddress): Promise<ChannelModel | Error> {
    const { connectTimeoutMs, socketOptions, prefix } = this.#settings
    try {
      const model = await connect(url, {
        ...socketOptions,
        // Nagle's algorithm doubles the time of a confirmation. Without a time-out the library waits for ever for a silent peer.
        noDelay: true,
        timeout: Math.min(attemptMs, connectTimeoutMs),
        clientProperties: { connection_name: `${prefix}: ${this.#role}` },
      })
      const socket = socketOf(model)
      if (socket !== undefined) gatherWrites(socket)
      // An error without a listener would end the process.
      model.on('error', (error) => this.#said.set(this.#settings.addresses[this.#addressIndex] as BrokerAddress, error))
      if (this.#closing.signal.aborted) await farewell(model)
      else this.#tell('open', { shown, user, version: model.connection.serverProperties.version })
      return model
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  /** Resolves when the connection is gone. */
  async #live(model: ChannelModel): Promise<void> {
    const gone = new Promise<Error | undefined>((resolve) => model.once('close', resolve))
    model.on('blocked', (reason) => this.#block(reason))
    model.on('unblocked', () => this.#block(undefined))
    this.#model = model
    this.#tellListeners()
    const reason = await gone
    destroySocket(model)
    this.#model = undefined
    this.#blockedBecause = undefined
    if (!this.#closing.signal.aborted) this.#tell('down', { err: reason })
    this.#tellListeners()
  }

  #block(reason: string | undefined): void {
    const { logger } = this.#settings
    this.#blockedBecause = reason
    if (reason === undefined) logger.info({ connection: this.#role }, 'the broker takes messages again')
    else logger.warn({ connection: this.#role, reason }, 'the broker takes no messages at present: it is short of memory or disk')
    this.#tellListeners()
  }

  /** Once for each change, not once for each try. */
  #tell(now: 'open' | 'down' | 'refused', fields: object = {}): void {
    if (this.#told === now) return
    this.#told = now
    const { logger } = this.#settings
    const all = { connection: this.#role, ...fields }
    switch (now) {
      case 'open':
        return logger.info(all, 'connected to the broker')
      case 'down':
        return logger.warn({ ...all, addresses: this.lastWords }, 'no connection to the broker: trying again until there is one')
      case 'refused':
        return logger.error(all, 'the broker refuses the connection: trying again until it does not')
      default:
        now satisfies never
    }
  }

  #tellListeners(): void {
    for (const listener of this.#listeners) listener()
  }
}

const farewell = async (model: ChannelModel): Promise<void> => {
  const gone = new Promise<void>((resolve) => model.once('close', () => resolve()))
  // Closing what is closed fails; and where the connection dies meanwhile, a goodbye is never answered.
  await settledWithin(Promise.race([gone, model.close()]), goodbyeMs)
  destroySocket(model)
}

/** The library only ends its side of a socket: on a dead network that one would linger for many minutes, with what was to be sent. */
const destroySocket = (model: ChannelModel): void => void socketOf(model)?.destroy()

/** It is not among the library's types, which may change it. */
const socketOf = (model: ChannelModel): Duplex | undefined => (model.connection as unknown as { readonly stream?: Duplex }).stream
