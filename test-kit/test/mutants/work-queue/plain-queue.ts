import { decodeMessage, encodeMessage, shownMessage } from '@taskledger/core/codec'
import type {
  CallOptions,
  Consumer,
  ConsumeOptions,
  DeadLetter,
  Delivery,
  ReleaseOptions,
  WorkMessage,
  WorkQueue,
  WorkQueueCapabilities,
} from '@taskledger/core/ports'
import { closedError } from '@taskledger/core/ports'
import type { Faults } from '@taskledger/test-kit'

/** A message, with its releases and whether it was delivered before. */
export interface Letter {
  readonly text: string
  redelivered: boolean
  releases: number
}

/** A message that died. */
export interface Dead {
  readonly id: string
  readonly letter: Letter
  readonly why: string
  readonly deadAt: number
}

/** A consumer of a queue. */
export interface Taker {
  readonly client: PlainQueue
  readonly handler: (delivery: Delivery) => Promise<void>
  readonly serial: boolean
  slots: number
  closed: boolean
  readonly running: Set<Run>
}

/** One run of a handler. */
export interface Run {
  readonly letter: Letter
  readonly taker: Taker
  /** Whether the handler has settled the delivery, or the engine has taken it back. */
  settled: boolean
  accepted: boolean
  /** Whether the engine waits for an acknowledgement. */
  held: boolean
  /** After how many ticks without a renewal the engine takes the message back. */
  ticksLeft: number
  renewals: number
  ended: Promise<void>
}

/** The length of a lease and of the time between two renewals, in ticks of the engine. */
const leaseTicks = 12
const renewalTicks = 2

/** In milliseconds. Leases count ticks and no time: what slows the process down slows the renewals down, too. */
const tickMs = 20

/** One queue of the engine. */
export class Room {
  waiting: Letter[] = []
  takers: Taker[] = []
  readonly running = new Set<Run>()
  dead: Dead[] = []
  died = 0
  pumping = false
}

/** The queues that the clients of a plain queue share, and their leases. */
export class Rooms {
  readonly #rooms = new Map<string, Room>()
  readonly faults: Faults = { restart: async () => {} }
  #ticks = 0
  #timer: NodeJS.Timeout | undefined

  /** Counts the leases of all runs down, as long as there are any. */
  watch(): void {
    this.#timer ??= setInterval(() => this.#tick(), tickMs).unref()
  }

  #tick(): void {
    this.#ticks++
    const held = this.all.flatMap((room) => [...room.running].filter((run) => run.held).map((run) => ({ room, run })))
    for (const { room, run } of held) {
      if (this.#ticks % renewalTicks === 0) run.taker.client.renew(room, run)
      if (--run.ticksLeft <= 0) run.taker.client.expire(room, run)
    }
    if (held.length > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  get(name: string): Room {
    const room = this.#rooms.get(name) ?? new Room()
    this.#rooms.set(name, room)
    return room
  }

  get all(): readonly Room[] {
    return [...this.#rooms.values()]
  }
}

/** A correct work queue in small steps. A mutant gets one step wrong. */
export class PlainQueue implements WorkQueue {
  readonly capabilities: WorkQueueCapabilities = { durability: 'restart', redeliveryWithinMs: leaseTicks * tickMs, delayedRelease: true }
  readonly rooms: Rooms
  readonly takers = new Set<{ readonly room: Room; readonly taker: Taker }>()
  closed = false
  /** While the client stands still. */
  isStill = false

  constructor(rooms: Rooms) {
    this.rooms = rooms
  }

  async send(queue: string, message: WorkMessage, options?: CallOptions): Promise<void> {
    this.enter(options)
    const room = this.rooms.get(this.nameOf(queue))
    room.waiting.push({ text: this.encode(message), redelivered: false, releases: 0 })
    this.wake(room)
  }

  async depth(queue: string, options?: CallOptions): Promise<number> {
    this.enter(options)
    return this.rooms.get(this.nameOf(queue)).waiting.length
  }

  async consume(queue: string, handler: (delivery: Delivery) => Promise<void>, options: ConsumeOptions): Promise<Consumer> {
    this.enter(options)
    const room = this.rooms.get(this.nameOf(queue))
    const taker: Taker = {
      client: this,
      handler,
      serial: options.mode === 'serial',
      slots: options.slots,
      closed: false,
      running: new Set(),
    }
    this.join(room, taker)
    this.wake(room)
    return { resize: (slots) => this.resize(room, taker, slots), close: () => this.closeTaker(room, taker) }
  }

  async *deadLetters(queue: string, options?: CallOptions): AsyncGenerator<DeadLetter, void, undefined> {
    this.enter(options)
    const room = this.rooms.get(this.nameOf(queue))
    for (const dead of this.listed(room)) {
      this.enter(options)
      yield this.shown(room, dead)
    }
  }

  /** The letters that an iteration shows. */
  listed(room: Room): readonly Dead[] {
    return [...room.dead]
  }

  shown(room: Room, dead: Dead): DeadLetter {
    const { id, letter, why, deadAt } = dead
    let settled: Promise<void> | undefined
    return {
      id,
      ...shownMessage(letter.text),
      why,
      deadAt,
      releases: letter.releases,
      resend: () => (settled ??= this.resend(room, dead)),
      remove: () => (settled ??= this.remove(room, dead)),
    }
  }

  async resend(room: Room, dead: Dead): Promise<void> {
    this.putBack(room, { text: dead.letter.text, redelivered: false, releases: 0 })
    this.forget(room, dead)
  }

  async remove(room: Room, dead: Dead): Promise<void> {
    this.forget(room, dead)
  }

  forget(room: Room, dead: Dead): void {
    room.dead = room.dead.filter((each) => each !== dead)
  }

  async close(): Promise<void> {
    this.closed = true
    await Promise.all([...this.takers].map(({ room, taker }) => this.closeTaker(room, taker)))
  }

  /** Disappears like a killed process. */
  vanish(): void {
    this.closed = true
    for (const { room, taker } of this.takers) {
      room.takers = room.takers.filter((each) => each !== taker)
      for (const run of [...taker.running].reverse()) {
        this.lose(room, run)
        this.ended(room, run)
      }
    }
  }

  /** Stands still, until the returned function is called: it takes nothing and renews no lease. */
  standStill(): () => void {
    this.isStill = true
    return () => {
      this.isStill = false
      for (const { room } of this.takers) this.wake(room)
    }
  }

  /** Asks the engine for a whole lease again. */
  renew(_room: Room, run: Run): void {
    if (!this.isStill) this.renewed(run)
  }

  /** The engine has the renewal. */
  renewed(run: Run): void {
    run.renewals++
    run.ticksLeft = leaseTicks
  }

  /** A lease is over: the engine takes message and turn back. The handler goes on and keeps its slot. */
  expire(room: Room, run: Run): void {
    this.lose(room, run)
    room.running.delete(run)
    this.wake(room)
  }

  enter(options?: CallOptions): void {
    if (this.closed) throw closedError('the plain queue')
    options?.signal?.throwIfAborted()
  }

  nameOf(queue: string): string {
    return queue
  }

  encode(message: WorkMessage): string {
    return encodeMessage(message)
  }

  decode(_room: Room, letter: Letter): WorkMessage {
    return decodeMessage(letter.text)
  }

  join(room: Room, taker: Taker): void {
    room.takers.push(taker)
    this.takers.add({ room, taker })
  }

  resize(room: Room, taker: Taker, slots: number): void {
    taker.slots = slots
    this.wake(room)
  }

  async closeTaker(room: Room, taker: Taker): Promise<void> {
    taker.closed = true
    room.takers = room.takers.filter((each) => each !== taker)
    await this.waitFor(taker)
    this.wake(room)
  }

  async waitFor(taker: Taker): Promise<void> {
    await Promise.all([...taker.running].map(({ ended }) => ended))
  }

  /** Delivers messages to free consumers in a later turn of the event loop. */
  wake(room: Room): void {
    if (room.pumping) return
    room.pumping = true
    setImmediate(() => {
      room.pumping = false
      while (room.waiting.length > 0) {
        const taker = room.takers.find((each) => each.client.mayTake(room, each))
        if (taker === undefined) return
        // A consumer that has taken a message goes to the end of the line.
        room.takers = [...room.takers.filter((each) => each !== taker), taker]
        const letter = taker.client.take(room, taker)
        if (letter !== undefined) taker.client.open(room, taker, letter)
      }
    })
  }

  mayTake(room: Room, taker: Taker): boolean {
    return !this.isStill && this.hasFreeSlot(taker) && (!taker.serial || this.isSerialFree(room, taker))
  }

  hasFreeSlot(taker: Taker): boolean {
    return taker.running.size < taker.slots
  }

  isSerialFree(room: Room, _taker: Taker): boolean {
    return room.running.size === 0
  }

  take(room: Room, _taker: Taker): Letter | undefined {
    return room.waiting.shift()
  }

  open(room: Room, taker: Taker, letter: Letter): void {
    let message: WorkMessage
    try {
      message = this.decode(room, letter)
    } catch (error) {
      return this.bury(room, letter, String(error))
    }
    const run: Run = {
      letter,
      taker,
      settled: false,
      accepted: false,
      held: true,
      ticksLeft: leaseTicks,
      renewals: 0,
      ended: Promise.resolve(),
    }
    taker.running.add(run)
    room.running.add(run)
    this.rooms.watch()
    run.ended = this.run(room, run, message)
  }

  async run(room: Room, run: Run, message: WorkMessage): Promise<void> {
    try {
      await run.taker.handler(this.deliveryOf(room, run, message))
    } catch {
      this.threw(room, run)
    }
    this.unsettled(room, run)
    run.held = false
    this.ended(room, run)
  }

  deliveryOf(room: Room, run: Run, message: WorkMessage): Delivery {
    return {
      message,
      redelivered: run.letter.redelivered,
      releases: run.letter.releases,
      accept: async () => {
        if (!this.settles(run)) return
        this.accept(room, run)
        if (this.acknowledgesAtOnce(run)) run.held = false
      },
      release: async (options) => {
        const { letter } = run
        const uncounted = { ...run, letter: { ...letter, releases: letter.releases - 1 } }
        if (!this.settles(run)) return
        run.held = false
        this.release(room, this.counts(options) ? run : uncounted, options?.delayMs ?? 0)
      },
      reject: async (why) => {
        if (!this.settles(run)) return
        run.held = false
        this.reject(room, run, why)
      },
    }
  }

  /** The message of a serial queue is acknowledged when its handler has ended: until then it has to be the first of the next holder. */
  acknowledgesAtOnce({ taker }: Run): boolean {
    return !taker.serial
  }

  /** Whether the delivery was not settled before. */
  settles(run: Run): boolean {
    const isFirst = !run.settled
    run.settled = true
    return isFirst
  }

  accept(_room: Room, run: Run): void {
    run.accepted = true
  }

  counts(options: ReleaseOptions | undefined): boolean {
    return options?.isCounted ?? true
  }

  release(room: Room, { letter }: Run, delayMs: number): void {
    const released = { ...letter, redelivered: true, releases: letter.releases + 1 }
    if (delayMs > 0) setTimeout(() => this.putBack(room, released), delayMs)
    else this.putBack(room, released)
  }

  reject(room: Room, { letter }: Run, why: string): void {
    this.bury(room, letter, why)
  }

  /** The handler has ended: a delivery that it has not settled comes back, released or, if its consumer closes, as it was. */
  unsettled(room: Room, run: Run): void {
    if (!this.settles(run)) return
    const { letter, taker } = run
    if (taker.closed) room.waiting.unshift({ ...letter, redelivered: true })
    else this.putBack(room, { ...letter, redelivered: true, releases: letter.releases + 1 })
  }

  threw(_room: Room, _run: Run): void {}

  ended(room: Room, run: Run): void {
    run.taker.running.delete(run)
    room.running.delete(run)
    this.wake(room)
  }

  /** The engine takes back what it still holds for a run: its client is gone. Settlements of the old delivery do nothing any more. */
  lose(room: Room, run: Run): void {
    if (!run.held) return
    run.held = false
    run.settled = true
    room.waiting.unshift({ ...run.letter, redelivered: true })
    this.wake(room)
  }

  putBack(room: Room, letter: Letter): void {
    room.waiting.push(letter)
    this.wake(room)
  }

  bury(room: Room, letter: Letter, why: string): void {
    room.dead.push({ id: String(++room.died), letter, why, deadAt: Date.now() })
  }
}
