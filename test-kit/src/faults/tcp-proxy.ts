import type { AddressInfo, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { Transform } from 'node:stream'
import type { Faults } from '../framework/harness.ts'

/** The address of the engine behind the proxy. */
export interface TcpProxyOptions {
  /** Where the engine listens. */
  readonly host: string
  readonly port: number
}

/** A TCP proxy between an adapter and its engine that causes network faults. */
export interface TcpProxy {
  /** Where the adapter connects to. */
  readonly host: string
  readonly port: number
  readonly faults: Required<Pick<Faults, 'cut' | 'refuse' | 'stall' | 'silence' | 'loseReplies'>>
  /** Breaks every connection and stops listening. Disposing twice is fine. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Opens a proxy on a free port of 127.0.0.1. Some drivers ask the engine for its other addresses and connect to those: translate the
 * addresses back to the proxy, or the driver avoids the faults.
 */
export const tcpProxy = async (target: TcpProxyOptions): Promise<TcpProxy> => {
  const weather = new Weather()
  const links = new Set<Link>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const engine = connect({ ...target, allowHalfOpen: true, noDelay: true })
    const link = new Link(client, engine, weather)
    links.add(link)
    void link.closed.then(() => links.delete(link))
  })
  const host = '127.0.0.1'
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, () => {
        server.off('error', reject)
        resolve()
      })
    })
  const cut = async (which: (link: Link) => boolean = () => true): Promise<void> => {
    const broken = [...links].filter(which)
    for (const link of broken) link.breakOff()
    await Promise.all(broken.map((link) => link.closed))
  }
  const stopListening = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    await cut()
    await closed
  }

  await listen(0)
  const { port } = server.address() as AddressInfo
  let refusals = 0
  let refused: Promise<void> | undefined
  let disposed: Promise<void> | undefined

  return {
    host,
    port,
    faults: {
      cut: () => cut(),
      refuse: async () => {
        if (refusals++ === 0) refused = stopListening()
        await refused
        return once(async () => {
          if (--refusals === 0 && disposed === undefined) await listenAgain(() => listen(port))
        })
      },
      stall: async () => {
        weather.stall()
        return once(async () => weather.resume())
      },
      silence: async () => {
        for (const link of links) link.silence()
      },
      loseReplies: async () => {
        weather.repliesLost++
        return once(async () => {
          // A lost answer leaves a gap in the stream. No real network does that, so the connection has to end.
          if (--weather.repliesLost === 0) await cut((link) => link.spoilt)
        })
      },
    },
    [Symbol.asyncDispose]: () => (disposed ??= stopListening()),
  }
}

const once = (end: () => Promise<void>): (() => Promise<void>) => {
  let ended: Promise<void> | undefined
  return () => (ended ??= end())
}

/** While the proxy did not listen, an outgoing connection may have taken its port. Such a connection usually ends soon. */
const listenAgain = async (listen: () => Promise<void>): Promise<void> => {
  const patience = Date.now() + 10_000
  for (;;) {
    try {
      return await listen()
    } catch (error) {
      if (Date.now() > patience) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

/** The faults that all connections of a proxy have at the moment. */
class Weather {
  repliesLost = 0
  #stalls = 0
  #held: (() => void)[] = []

  stall(): void {
    this.#stalls++
  }

  resume(): void {
    if (--this.#stalls > 0) return
    const held = this.#held
    this.#held = []
    for (const go of held) go()
  }

  /** Calls back at once, or when the stall is over. */
  whenCalm(go: () => void): void {
    if (this.#stalls > 0) this.#held.push(go)
    else go()
  }
}

/** A connection of a client, and its connection to the engine. */
class Link {
  /** Resolves when both sockets are closed. */
  readonly closed: Promise<void>
  /** Whether an answer was lost, or will be: a request was sent while answers were lost. */
  spoilt = false
  #isSilent = false
  readonly #client: Socket
  readonly #engine: Socket

  constructor(client: Socket, engine: Socket, weather: Weather) {
    this.#client = client
    this.#engine = engine
    this.closed = Promise.all([gone(client), gone(engine)]).then(() => {})
    // A side that breaks breaks the other, unless nothing comes through any more.
    for (const socket of [client, engine])
      socket.on('error', () =>
        weather.whenCalm(() => {
          if (!this.#isSilent) this.breakOff()
        }),
      )
    const inLoss = (): boolean => {
      if (weather.repliesLost > 0) this.spoilt = true
      return weather.repliesLost > 0
    }
    const isRequestLost = (): boolean => {
      inLoss()
      return this.#isSilent
    }
    client.pipe(gate(weather, isRequestLost)).pipe(engine)
    engine.pipe(gate(weather, () => inLoss() || this.#isSilent)).pipe(client)
  }

  /** Drops whatever either side sends from now on. */
  silence(): void {
    this.#isSilent = true
  }

  /** Resets both sockets, so that neither side takes it for a normal close. */
  breakOff(): void {
    for (const socket of [this.#client, this.#engine]) {
      // A reset of a socket that is just closing fails, and the socket never closes.
      if (socket.connecting || (socket.writableEnded && !socket.writableFinished)) socket.destroy()
      else if (!socket.destroyed) socket.resetAndDestroy()
    }
  }
}

const gone = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once('close', () => resolve()))

/** One direction of a link. A stall also holds back the end of the stream. */
const gate = (weather: Weather, loses: () => boolean): Transform => {
  const stream: Transform = new Transform({
    transform: (chunk: Buffer, _encoding, done) =>
      weather.whenCalm(() => {
        if (stream.destroyed) return
        if (loses()) done()
        else done(null, chunk)
      }),
    flush: (done) =>
      weather.whenCalm(() => {
        if (!loses()) done()
      }),
  })
  return stream
}
