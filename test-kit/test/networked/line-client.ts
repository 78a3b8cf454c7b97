import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { decodeMessage, decodeNotice, encodeMessage, encodeNotice } from '@taskledger/core/codec'
import type {
  CallOptions,
  ConsumeOptions,
  Consumer,
  Delivery,
  EventBus,
  EventBusCapabilities,
  TaskNotice,
  Unsubscribe,
  WorkMessage,
  WorkQueue,
  WorkQueueCapabilities,
} from '@taskledger/core/ports'
import { closedError, outcomeUnknown, TaskledgerError } from '@taskledger/core/ports'
import type { Frame } from './lines.ts'
import { onJson, writeJson } from './lines.ts'

interface LineConsumer {
  readonly number: number
  readonly queue: string
  readonly handler: (delivery: Delivery) => Promise<void>
  readonly mode: 'parallel' | 'serial'
  slots: number
  closing: boolean
  readonly running: Map<Promise<void>, Socket>
}

/** A client of the line engine, as an adapter is: it heals by itself, and bounds every wait. Both ports in one. */
export class LineClient implements WorkQueue, EventBus {
  readonly capabilities: WorkQueueCapabilities & EventBusCapabilities = {
    durability: true,
    redeliveryWithinMs: 1_000,
    delayedRelease: true,
    crossesProcesses: true,
  }
  /** How long a call may take, in milliseconds. */
  readonly patienceMs: number = 1_000
  readonly address: { readonly host: string; readonly port: number }
  closed = false
  socket: Socket | undefined
  gapListeners: readonly (() => void)[] = []
  #closing: Promise<void> | undefined
  #wasConnected = false
  #lastNumber = 0
  readonly #consumers = new Map<number, LineConsumer>()
  readonly #listeners = new Set<{ readonly listener: (notice: TaskNotice) => void }>()
  readonly #replies = new Map<number, (reply: Frame) => void>()
  /** Called when there is a connection. */
  readonly #waiting: (() => void)[] = []

  constructor(address: { readonly host: string; readonly port: number }) {
    this.address = address
  }

  async open(): Promise<this> {
    this.connect()
    await this.untilConnected()
    return this
  }

  connect(): void {
    const socket = connect({ ...this.address, noDelay: true }).setMaxListeners(0)
    socket.on('error', () => {})
    socket.on('connect', () => void this.resume(socket))
    socket.on('close', () => {
      if (this.socket === socket) this.socket = undefined
      if (!this.closed) this.lost()
    })
    onJson(socket, (frame) => this.#hear(socket, frame))
  }

  lost(): void {
    setTimeout(() => {
      if (!this.closed) this.connect()
    }, 20)
  }

  /** Takes up on a new connection what there was on the old one. */
  async resume(socket: Socket): Promise<void> {
    for (const consumer of this.#consumers.values()) this.consumeOn(socket, consumer)
    // An answer proves that the engine listens, and not only somebody on the way to it.
    if (!(await this.#ask(socket, { type: 'publish', texts: [] }))) return void socket.destroy()
    this.socket = socket
    // Old handlers may have ended meanwhile, and their slots are free again.
    for (const consumer of this.#consumers.values()) this.#resize(consumer)
    for (const go of this.#waiting.splice(0)) go()
    if (this.#wasConnected) this.tellGap()
    this.#wasConnected = true
  }

  tellGap(): void {
    for (const listener of this.gapListeners) {
      try {
        listener()
      } catch {
        // Nobody to tell here: the rule has thrown on purpose.
      }
    }
  }

  async send(queue: string, message: WorkMessage, options?: CallOptions): Promise<void> {
    await this.request({ type: 'send', queue, text: encodeMessage(message) }, options?.signal)
  }

  async depth(queue: string, options?: CallOptions): Promise<number> {
    return (await this.request({ type: 'depth', queue }, options?.signal)).depth ?? 0
  }

  async publish(notices: readonly TaskNotice[], options?: CallOptions): Promise<void> {
    await this.request({ type: 'publish', texts: notices.map(encodeNotice) }, options?.signal)
  }

  async consume(queue: string, handler: (delivery: Delivery) => Promise<void>, { slots, mode, signal }: ConsumeOptions): Promise<Consumer> {
    this.#enter(signal)
    const consumer: LineConsumer = { number: ++this.#lastNumber, queue, handler, mode, slots, closing: false, running: new Map() }
    this.#consumers.set(consumer.number, consumer)
    if (this.socket !== undefined) this.consumeOn(this.socket, consumer)
    return {
      resize: (next) => {
        consumer.slots = next
        this.#resize(consumer)
      },
      close: () => this.#closeConsumer(consumer),
    }
  }

  subscribe(listener: (notice: TaskNotice) => void): Unsubscribe {
    this.#enter()
    const entry = { listener }
    this.#listeners.add(entry)
    return () => void this.#listeners.delete(entry)
  }

  onGap(listener: () => void): Unsubscribe {
    this.#enter()
    const entry = (): void => listener()
    this.gapListeners = [...this.gapListeners, entry]
    return () => {
      this.gapListeners = this.gapListeners.filter((each) => each !== entry)
    }
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  /** As if the process had been killed. */
  kill(): void {
    this.closed = true
    this.#closing = Promise.resolve()
    this.socket?.resetAndDestroy()
  }

  /** What a new connection may run: old handlers still take their slots. */
  freeSlots(consumer: LineConsumer, socket: Socket): number {
    return Math.max(0, consumer.slots - [...consumer.running.values()].filter((other) => other !== socket).length)
  }

  isFull({ running, slots }: LineConsumer): boolean {
    return running.size >= slots
  }

  consumeOn(socket: Socket, consumer: LineConsumer): void {
    const { number, queue, mode } = consumer
    writeJson(socket, { type: 'consume', consumer: number, queue, mode, slots: this.freeSlots(consumer, socket) })
  }

  async request(frame: Frame, signal?: AbortSignal): Promise<Frame> {
    this.#enter(signal)
    const socket = this.socket ?? (await this.untilConnected(signal))
    const reply = await this.#ask(socket, frame, signal)
    signal?.throwIfAborted()
    if (reply === undefined) throw this.unanswered(frame)
    return reply
  }

  unanswered({ type }: Frame): Error {
    return outcomeUnknown(type)
  }

  async untilConnected(signal?: AbortSignal): Promise<Socket> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.patienceMs)
      const go = (): void => {
        clearTimeout(timer)
        resolve()
      }
      this.#waiting.push(go)
      signal?.addEventListener('abort', go, { once: true })
    })
    signal?.throwIfAborted()
    if (this.socket === undefined) throw new TaskledgerError('UNAVAILABLE', 'there is no connection')
    return this.socket
  }

  /** The reply, if it came in time and before the connection broke or the signal said stop. */
  #ask(socket: Socket, frame: Frame, signal?: AbortSignal): Promise<Frame | undefined> {
    const id = ++this.#lastNumber
    return new Promise((resolve) => {
      const end = (reply?: Frame): void => {
        clearTimeout(timer)
        this.#replies.delete(id)
        resolve(reply)
      }
      const timer = setTimeout(() => end(), this.patienceMs)
      this.#replies.set(id, end)
      socket.once('close', () => end())
      signal?.addEventListener('abort', () => end(), { once: true })
      writeJson(socket, { ...frame, id })
    })
  }

  #enter(signal?: AbortSignal): void {
    if (this.closed || this.#closing !== undefined) throw closedError('the line client')
    signal?.throwIfAborted()
  }

  #hear(socket: Socket, frame: Frame): void {
    const { type, id = 0, text = '' } = frame
    if (type === 'reply') this.#replies.get(id)?.(frame)
    if (type === 'notice') {
      for (const { listener } of this.#listeners) {
        try {
          listener(decodeNotice(text))
        } catch {
          // As in tellGap.
        }
      }
    }
    if (type === 'deliver') this.#run(socket, frame)
  }

  #run(socket: Socket, frame: Frame): void {
    const consumer = this.#consumers.get(frame.consumer ?? 0)
    // It was on its way when the consumer closed or was made smaller: the engine takes back what is not settled.
    if (consumer === undefined || consumer.closing || this.isFull(consumer)) {
      return writeJson(socket, { type: 'end', delivery: frame.delivery ?? 0 })
    }
    const handle = async (): Promise<void> => {
      try {
        await consumer.handler(this.#deliveryOf(socket, frame))
      } catch {
        // The engine releases what is not settled at the end.
      }
      consumer.running.delete(run)
      writeJson(socket, { type: 'end', delivery: frame.delivery ?? 0 })
      if (socket !== this.socket) this.#resize(consumer)
    }
    const run: Promise<void> = new Promise<void>((resolve) => setImmediate(resolve)).then(handle)
    consumer.running.set(run, socket)
  }

  #deliveryOf(socket: Socket, { delivery = 0, text = '', redelivered = false, releases = 0 }: Frame): Delivery {
    const settle = async (frame: Omit<Frame, 'type'>): Promise<void> => writeJson(socket, { type: 'settle', delivery, ...frame })
    return {
      message: decodeMessage(text),
      redelivered,
      releases,
      accept: () => settle({ how: 'accept' }),
      release: (options) => settle({ how: 'release', delayMs: options?.delayMs ?? 0 }),
      reject: (why) => settle({ how: 'reject', why }),
    }
  }

  #resize(consumer: LineConsumer): void {
    const { socket } = this
    if (socket !== undefined) writeJson(socket, { type: 'resize', consumer: consumer.number, slots: this.freeSlots(consumer, socket) })
  }

  async #closeConsumer(consumer: LineConsumer): Promise<void> {
    const { socket } = this
    consumer.closing = true
    if (socket !== undefined) writeJson(socket, { type: 'close', consumer: consumer.number })
    while (consumer.running.size > 0) await Promise.all(consumer.running.keys())
    this.#consumers.delete(consumer.number)
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#consumers.values()].map((consumer) => this.#closeConsumer(consumer)))
    this.closed = true
    this.#listeners.clear()
    this.gapListeners = []
    this.socket?.end()
  }
}
