import { setTimeout as sleep } from 'node:timers/promises'
import { closedError, outcomeUnknown, systemClock, unavailable, within } from '@taskledger/core/ports'
import type { Faults } from '@taskledger/test-kit'

/** An engine in memory, and the network that its clients reach it by. Connections break, and requests and answers are lost, as the rules ask. */
export class Network {
  readonly lines = new Set<Line>()
  isRefusing = false
  losesReplies = false
  /** During a stall: resolves when it is over. */
  stalled: Promise<void> | undefined

  readonly faults: Required<Faults> = {
    cut: async () => this.#cut(),
    refuse: async () => {
      this.isRefusing = true
      this.#cut()
      return async () => void (this.isRefusing = false)
    },
    stall: async () => this.#stall(),
    silence: async () => {
      for (const line of this.lines) line.connection?.silence()
    },
    loseReplies: async () => {
      this.losesReplies = true
      return async () => {
        this.losesReplies = false
        this.#cut()
      }
    },
    restart: async () => {
      this.isRefusing = true
      this.#cut()
      await sleep(30)
      this.isRefusing = false
    },
  }

  #cut(): void {
    for (const line of this.lines) line.connection?.breakOff()
  }

  #stall(): () => Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.stalled = promise
    return async () => {
      this.stalled = undefined
      resolve()
    }
  }
}

/** One connection of a client. */
export class Connection {
  isBroken = false
  isSilent = false
  readonly #network: Network
  readonly #broken = Promise.withResolvers<void>()

  constructor(network: Network) {
    this.#network = network
  }

  /** Resolves when the connection breaks. A silent connection never does. */
  get broken(): Promise<void> {
    return this.#broken.promise
  }

  breakOff(): void {
    if (this.isSilent || this.isBroken) return
    this.isBroken = true
    this.#broken.resolve()
  }

  silence(): void {
    this.isSilent = true
  }

  /** Carries something in one direction; it never arrives if the connection breaks or is silent. */
  async carry(): Promise<void> {
    await sleep(1)
    await this.#network.stalled
    if (this.isBroken || this.isSilent) await never
  }
}

/** Never settles. */
export const never: Promise<never> = new Promise(() => {})

/** How far a request came. */
export type Progress = 'not sent' | 'sent'

/**
 * A correct client of the network: it reconnects by itself, bounds every wait, and heeds signals. A mutant overrides a step and gets it
 * wrong.
 */
export class Line {
  /** How long a request waits for its answer, in milliseconds. */
  readonly patienceMs: number = 150
  readonly network: Network
  connection: Connection | undefined
  isClosed = false
  /** Tries to connect since the last connection broke. */
  tries = 0
  /** Called after each reconnection. */
  onReconnected: () => void = () => {}
  readonly #ended = new AbortController()

  constructor(network: Network) {
    this.network = network
    this.open()
  }

  /** Sends a request, and waits for its answer. */
  async ask<Answer>(request: () => Promise<Answer>, signal?: AbortSignal): Promise<Answer> {
    if (this.isClosed) throw closedError('the mutant')
    signal?.throwIfAborted()
    const { connection } = this
    if (connection === undefined) throw await this.within(Promise.resolve(this.lost('not sent')), signal)
    let progress: Progress = 'not sent'
    let isAnswered = false
    const carried = (async () => {
      await connection.carry()
      progress = 'sent'
      try {
        return await request()
      } finally {
        await connection.carry()
        if (this.network.losesReplies) await never
        isAnswered = true
      }
    })()
    const broken = connection.broken.then(() => {
      throw this.lost(progress)
    })
    const late = patience(this.patienceMs).then(() => {
      if (isAnswered) return never
      this.giveUp(connection)
      throw this.lost(progress)
    })
    for (const each of [carried, broken, late]) each.catch(() => {})
    return this.within(Promise.race([carried, broken, late]), signal)
  }

  /** Closes the client: what is under way rejects with CLOSED. */
  async close(): Promise<void> {
    this.isClosed = true
    this.connection = undefined
    this.network.lines.delete(this)
    this.#ended.abort(closedError('the mutant'))
  }

  /** Waits for a promise, until the client is closed or the signal is aborted. */
  async within<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
    return within(within(promise, { signal }), { signal: this.#ended.signal })
  }

  /** The error of a request without an answer. */
  lost(progress: Progress): Error {
    return progress === 'sent' ? outcomeUnknown('no answer') : unavailable('there is no connection')
  }

  /** An answer is late: the other side may be gone without a word. */
  giveUp(connection: Connection): void {
    if (this.connection !== connection) return
    this.connection = undefined
    this.reconnect()
  }

  /** Tries to connect again, later. */
  reconnect(): void {
    this.tries++
    systemClock.schedule(Math.min(10 * this.tries, 50), () => this.open())
  }

  open(): void {
    if (this.isClosed || this.connection !== undefined) return
    this.network.lines.add(this)
    if (this.network.isRefusing) return this.reconnect()
    const isFirst = this.tries === 0
    this.tries = 0
    const connection = new Connection(this.network)
    this.connection = connection
    void connection.broken.then(() => this.giveUp(connection))
    if (!isFirst) this.onReconnected()
  }
}

/** Waits in short parts, so that a busy machine gets its turns before the wait is over. */
const patience = async (ms: number): Promise<void> => {
  if (ms === Infinity) await never
  for (let left = ms; left > 0; left -= partMs) await sleep(partMs, undefined, { ref: false })
}

const partMs = 5

/** The methods of a port that reach the engine. The others are called in the process. */
export interface NetworkedMethods<Port> {
  readonly calls: readonly (keyof Port & string)[]
  readonly iterations?: readonly (keyof Port & string)[]
}

type Method = (...given: unknown[]) => unknown

/** The port of an engine in memory, reached by a line. Signals end at the line. */
export const networked = <Port extends { close(): Promise<void> }>(port: Port, line: Line, methods: NetworkedMethods<Port>): Port => {
  const asked = (method: Method): Method =>
    async function asks(...given) {
      const { signal, bare } = takeSignal(given)
      return line.ask(async () => method.apply(port, bare), signal)
    }
  const stepped = (method: Method): Method =>
    async function* steps(...given) {
      const { signal, bare } = takeSignal(given)
      const entries: AsyncIterator<unknown> = (method.apply(port, bare) as AsyncIterable<unknown>)[Symbol.asyncIterator]()
      for (;;) {
        const step = await line.ask(() => entries.next(), signal)
        if (step.done === true) return
        yield step.value
      }
    }
  const close = async (): Promise<void> => {
    await line.close()
    await port.close()
  }
  return new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (name === 'close') return close
      if (typeof member !== 'function') return member
      if (methods.calls.some((each) => each === name)) return asked(member as Method)
      if (methods.iterations?.some((each) => each === name) === true) return stepped(member as Method)
      return (member as Method).bind(target)
    },
  })
}

/** The signal among the arguments, and the arguments without it. */
const takeSignal = (given: readonly unknown[]): { readonly signal: AbortSignal | undefined; readonly bare: unknown[] } => {
  let found: AbortSignal | undefined
  const bare = given.map((value) => {
    if (typeof value !== 'object' || value === null || !('signal' in value)) return value
    const { signal, ...rest } = value
    if (signal instanceof AbortSignal) found = signal
    return rest
  })
  return { signal: found, bare }
}
