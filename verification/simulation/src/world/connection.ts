import type { Consumer, ConsumeMode, Delivery, TaskMessaging, TaskNotice } from '@taskledger/core/ports'
import type { Network } from './network.ts'

interface Consuming {
  readonly queue: string
  readonly handler: (delivery: Delivery) => Promise<void>
  readonly mode: ConsumeMode
  slots: number
  consumer: Consumer | undefined
  isClosed: boolean
  readonly handling: Set<Promise<void>>
}

/** The connection of a node to queue and bus. After a break it is restored, together with its consumers and listeners. */
export class Connection {
  /** Whether notices are dropped. */
  isDeaf = false
  readonly #network: Network
  readonly #consuming = new Set<Consuming>()
  readonly #listeners = new Set<(notice: TaskNotice) => void>()
  readonly #gapListeners = new Set<() => void>()
  #client: TaskMessaging | undefined
  /** Notices of one sender arrive in order: no notice overtakes another. */
  #lastNoticeAt = 0
  /** Sends what is on its way, even after a break of the connection. */
  readonly #courier: TaskMessaging

  constructor(network: Network) {
    this.#network = network
    this.#courier = network.world.engineOf(network.caller.name, 'messaging').messaging()
    this.#open()
  }

  /** Breaks the connection: what the node has not settled is delivered again. */
  break(): void {
    if (this.#client === undefined) return
    const { world, caller } = this.#network
    world.trace(caller.name, 'the connection to queue and bus breaks')
    world.engineOf(caller.name, 'messaging').faults.kill(this.#client)
    this.#client = undefined
    for (const consuming of this.#consuming) consuming.consumer = undefined
  }

  async restore(): Promise<void> {
    const { process } = this.#network.caller
    if (this.#client !== undefined || process.isDead) return
    this.#open()
    for (const consuming of this.#consuming) await this.#consume(consuming)
    this.gap()
  }

  /** Tells the node that it may have missed notices. */
  gap(): void {
    this.#network.caller.process.step(() => {
      this.#network.world.trace(this.#network.caller.name, 'is told of a gap')
      for (const listener of this.#gapListeners) listener()
    })
  }

  /** A client that outlives each break of the connection. The network wraps it. */
  messaging(): TaskMessaging {
    const { queue, bus } = this.#courier
    return {
      queue: {
        capabilities: queue.capabilities,
        send: (name, message, options) => queue.send(name, message, options),
        depth: (name, options) => queue.depth(name, options),
        deadLetters: (name, options) => queue.deadLetters(name, options),
        consume: async (name, handler, { slots, mode }) => {
          const consuming: Consuming = { queue: name, handler, mode, slots, consumer: undefined, isClosed: false, handling: new Set() }
          this.#consuming.add(consuming)
          await this.#consume(consuming)
          return {
            resize: (to) => {
              if (this.#network.caller.process.isDead) return
              consuming.slots = to
              consuming.consumer?.resize(to)
            },
            close: async () => {
              consuming.isClosed = true
              this.#consuming.delete(consuming)
              await consuming.consumer?.close()
              await Promise.all(consuming.handling)
            },
          }
        },
        close: async () => {},
      },
      bus: {
        capabilities: bus.capabilities,
        publish: (notices, options) => bus.publish(notices, options),
        subscribe: (listener) => addTo(this.#listeners, listener),
        onGap: (listener) => addTo(this.#gapListeners, listener),
        close: async () => {},
      },
      close: async () => {
        await this.#client?.close()
        this.#client = undefined
      },
    }
  }

  #open(): void {
    const { world, caller } = this.#network
    this.#client = world.engineOf(caller.name, 'messaging').messaging()
    this.#client.bus.subscribe((notice) => {
      if (this.isDeaf) return
      const at = Math.max(world.time.elapsed() + this.#network.latencyMs(), this.#lastNoticeAt)
      this.#lastNoticeAt = at
      world.time.schedule(at - world.time.elapsed(), () =>
        caller.process.step(() => {
          for (const listener of this.#listeners) listener(notice)
        }),
      )
    })
  }

  async #consume(consuming: Consuming): Promise<void> {
    const { queue, mode, slots, isClosed } = consuming
    const client = this.#client
    if (client === undefined || isClosed || consuming.consumer !== undefined) return
    const consumer = await client.queue.consume(queue, (delivery) => this.#hand(consuming, delivery), { slots, mode })
    // The connection may have broken again meanwhile, and this consumer with it.
    if (this.#client !== client) return
    consuming.consumer = consumer
    if (consuming.slots !== slots) consumer.resize(consuming.slots)
  }

  #hand(consuming: Consuming, delivery: Delivery): Promise<void> {
    const { world, caller } = this.#network
    const handled = new Promise<void>((resolve, reject) => {
      world.time.schedule(this.#network.latencyMs(), () =>
        caller.process.step(() => {
          if (world.traced !== undefined)
            world.trace(caller.name, `← delivery ${delivery.message.taskId.slice(-8)}${delivery.redelivered ? ' redelivered' : ''}`)
          this.#handle(consuming, delivery).then(resolve, reject)
        }),
      )
    })
    consuming.handling.add(handled)
    const forget = (): void => void consuming.handling.delete(handled)
    handled.then(forget, forget)
    return handled
  }

  /** As brokers do: the acknowledgement of a serial queue is due at the end of the run. */
  async #handle({ handler, mode }: Consuming, delivery: Delivery): Promise<void> {
    const { message, redelivered, releases } = delivery
    let isAccepted = false
    await handler({
      message,
      redelivered,
      releases,
      accept: async () => {
        isAccepted = true
        if (mode === 'parallel') await delivery.accept()
      },
      release: (options) => delivery.release(options),
      reject: (why) => delivery.reject(why),
    })
    if (isAccepted && mode === 'serial' && !this.#network.caller.process.isDead) await delivery.accept()
  }
}

const addTo = <Member>(members: Set<Member>, member: Member): (() => void) => {
  members.add(member)
  return () => void members.delete(member)
}
