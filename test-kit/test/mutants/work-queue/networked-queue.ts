import type { CallOptions, WorkMessage } from '@taskledger/core/ports'
import { onAbort, outcomeUnknown, unavailable, within } from '@taskledger/core/ports'
import type { Faults } from '@taskledger/test-kit'
import type { Dead, Room, Run, Taker } from './plain-queue.ts'
import { PlainQueue, Rooms } from './plain-queue.ts'

/** Queues behind a network that breaks. */
export class DistantRooms extends Rooms {
  readonly clients = new Set<NetworkedQueue>()
  isRefusing = false
  losesReplies = false
  /** During a stall: resolves when it is over. */
  stall: Promise<void> | undefined

  /** Carries a request of a client there and its answer back. An answer that is lost never comes. */
  async ask(client: NetworkedQueue, call: () => Promise<void>): Promise<void> {
    await this.#calm(client)
    await call()
    if (this.losesReplies) await new Promise(() => {})
    await this.#calm(client)
  }

  async #calm(client: NetworkedQueue): Promise<void> {
    while (this.stall !== undefined || client.still !== undefined) await (this.stall ?? client.still)
  }

  override readonly faults: Faults = {
    cut: async () => this.#cut(),
    restart: async () => this.#cut(),
    refuse: async () => {
      this.isRefusing = true
      this.#cut()
      return async () => void (this.isRefusing = false)
    },
    stall: async () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.stall = promise
      return async () => {
        this.stall = undefined
        resolve()
        for (const client of this.clients) client.wakeAll()
      }
    },
    loseReplies: async () => {
      this.losesReplies = true
      return async () => {
        this.losesReplies = false
        this.#cut()
      }
    },
  }

  #cut(): void {
    for (const client of this.clients) client.breakOff()
  }
}

/** A correct queue behind a network: it reconnects by itself and bounds every wait. A mutant gets one step wrong. */
export class NetworkedQueue extends PlainQueue {
  /** How long a send waits for its confirmation, in milliseconds: less than a lease. */
  readonly patienceMs: number = 150
  readonly engine: DistantRooms
  /** While the client stands still: resolves when it goes on. */
  still: Promise<void> | undefined
  /** Aborted when the connection breaks. */
  connection: AbortController | undefined = new AbortController()
  readonly #waiting: (() => void)[] = []

  constructor(engine: DistantRooms) {
    super(engine)
    this.engine = engine
    engine.clients.add(this)
  }

  override async send(queue: string, message: WorkMessage, options?: CallOptions): Promise<void> {
    this.enter(options)
    await this.request(() => super.send(queue, message), options?.signal)
  }

  override async resend(room: Room, dead: Dead): Promise<void> {
    await this.request(async () => this.putBack(room, { text: dead.letter.text, redelivered: false, releases: 0 }))
    this.forget(room, dead)
  }

  /** Makes a request over the network, and waits for its confirmation. */
  async request(call: () => Promise<void>, signal?: AbortSignal): Promise<void> {
    const { signal: broken } = this.connection ?? (await this.connected(signal))
    let isOver = false
    // What still waits for the end of a stall when its sender has given up is dropped, as a client drops its buffer.
    const confirmed = this.engine.ask(this, async () => (isOver ? undefined : call()))
    const lost = new Promise<never>((_resolve, reject) => onAbort(broken, () => reject(this.unanswered())))
    const onTimeout = (): never => {
      throw this.unanswered()
    }
    try {
      await within(Promise.race([confirmed, lost]), { timeoutMs: this.patienceMs, signal, onTimeout })
    } finally {
      isOver = true
    }
  }

  override async close(): Promise<void> {
    await super.close()
    this.engine.clients.delete(this)
  }

  override join(room: Room, taker: Taker): void {
    super.join(room, taker)
    if (this.connection === undefined) leave(room, taker)
  }

  override standStill(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.still = promise
    const goOn = super.standStill()
    return () => {
      this.still = undefined
      resolve()
      goOn()
    }
  }

  /** A renewal that is under way during a stall arrives after it. */
  override renew(_room: Room, run: Run): void {
    void this.engine.ask(this, async () => {
      if (run.held) this.renewed(run)
    })
  }

  override mayTake(room: Room, taker: Taker): boolean {
    return this.engine.stall === undefined && super.mayTake(room, taker)
  }

  /** The error of a send that is not confirmed. */
  unanswered(): Error {
    return outcomeUnknown('not confirmed')
  }

  async connected(signal: AbortSignal | undefined): Promise<AbortController> {
    const onTimeout = (): never => {
      throw unavailable('there is no connection')
    }
    const again = new Promise<void>((resolve) => void this.#waiting.push(resolve))
    if (this.connection === undefined) await within(again, { timeoutMs: this.patienceMs, signal, onTimeout })
    return this.connection ?? onTimeout()
  }

  /** Breaks the connection. The engine requeues what is not settled; handlers that run keep their slots. */
  breakOff(): void {
    this.connection?.abort()
    this.connection = undefined
    for (const { room, taker } of this.takers) {
      leave(room, taker)
      for (const run of [...taker.running].reverse()) {
        this.lose(room, run)
        room.running.delete(run)
      }
    }
    this.lost()
  }

  lost(): void {
    setTimeout(() => this.#connect(), 20)
  }

  rejoin(room: Room, taker: Taker): void {
    if (!taker.closed) room.takers.push(taker)
  }

  wakeAll(): void {
    for (const { room } of this.takers) this.wake(room)
  }

  #connect(): void {
    if (this.closed || this.connection !== undefined) return
    if (this.engine.isRefusing) return this.lost()
    this.connection = new AbortController()
    for (const { room, taker } of this.takers) this.rejoin(room, taker)
    this.wakeAll()
    for (const go of this.#waiting.splice(0)) go()
  }
}

const leave = (room: Room, taker: Taker): void => {
  room.takers = room.takers.filter((each) => each !== taker)
}
