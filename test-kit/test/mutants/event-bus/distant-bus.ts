import { decodeNotice, encodeNotice } from '@taskledger/core/codec'
import type { CallOptions, EventBus, EventBusCapabilities, TaskNotice, Unsubscribe } from '@taskledger/core/ports'
import { closedError } from '@taskledger/core/ports'
import type { Connection, Network } from '../shared/network.ts'
import { Line } from '../shared/network.ts'

/** The engine: it copies each notice to every connection that listens. */
export class Exchange {
  readonly listening: Map<Connection, (text: string) => void> = new Map()
  /** How many notices it has copied. */
  published = 0

  publish(texts: readonly string[]): void {
    this.published += texts.length
    for (const text of texts) for (const hear of this.listening.values()) hear(text)
  }
}

/** In milliseconds. */
const heartbeatMs = 30

/** A correct bus behind a network: a line to publish, and a line to listen with a heartbeat. A mutant gets one step wrong. */
export class DistantBus implements EventBus {
  readonly capabilities: EventBusCapabilities = { crossesProcesses: true }
  readonly exchange: Exchange
  readonly publishing: Line
  readonly listening: Line
  readonly #listeners = new Set<{ readonly call: (notice: TaskNotice) => void }>()
  readonly #gapListeners = new Set<{ readonly call: () => void }>()
  readonly #heartbeat: NodeJS.Timeout

  constructor(exchange: Exchange, network: Network, LineOf: typeof Line = Line) {
    this.exchange = exchange
    this.publishing = new LineOf(network)
    this.listening = new LineOf(network)
    this.listen()
    this.listening.onReconnected = () => this.reconnected()
    this.#heartbeat = setInterval(() => this.beat(), heartbeatMs).unref()
  }

  async publish(notices: readonly TaskNotice[], options?: CallOptions): Promise<void> {
    await this.publishing.ask(async () => this.exchange.publish(notices.map(encodeNotice)), options?.signal)
  }

  subscribe(listener: (notice: TaskNotice) => void): Unsubscribe {
    return this.#add(this.#listeners, { call: listener })
  }

  onGap(listener: () => void): Unsubscribe {
    return this.#add(this.#gapListeners, { call: listener })
  }

  async close(): Promise<void> {
    clearInterval(this.#heartbeat)
    this.#listeners.clear()
    this.#gapListeners.clear()
    const { connection } = this.listening
    if (connection !== undefined) this.exchange.listening.delete(connection)
    await Promise.all([this.publishing.close(), this.listening.close()])
  }

  reconnected(): void {
    this.listen()
    this.tellGap()
  }

  listen(): void {
    const { connection } = this.listening
    if (connection === undefined) return
    this.exchange.listening.set(connection, (text) => void this.#carry(connection, text))
    void connection.broken.then(() => this.exchange.listening.delete(connection))
  }

  /** Finds a silent connection, also where this client publishes nothing. */
  beat(): void {
    this.listening.ask(async () => {}).catch(() => {})
  }

  tellGap(): void {
    for (const { call } of this.#gapListeners) this.callSafely(call)
  }

  async #carry(connection: Connection, text: string): Promise<void> {
    await connection.carry()
    const { network } = this.listening
    if (network.losesReplies || this.listening.connection !== connection) return
    for (const { call } of this.#listeners) this.callSafely(() => call(decodeNotice(text)))
  }

  callSafely(call: () => void): void {
    try {
      call()
    } catch {
      // The listener of the rule throws on purpose.
    }
  }

  #add<Member>(members: Set<Member>, member: Member): Unsubscribe {
    if (this.listening.isClosed) throw closedError('the distant bus')
    members.add(member)
    return () => void members.delete(member)
  }
}
