import type { Consumer, ConsumeMode, Delivery, TaskMessaging, TaskNotice } from '@taskledger/core/ports'
import type { Network } from './network.ts'
import { never } from './network.ts'

interface Consuming {
  readonly queue: string
  readonly handler: (delivery: Delivery) => Promise<void>
  readonly mode: ConsumeMode
  slots: number
  consumer: Consumer | undefined
  isClosed: boolean
  readonly handling: Set<Promise<void>>
}

/** The connection of a node to queue and bus. Where it breaks it is made again, and all that hangs on it with it. */
export class Connection {
  /** Whether notices pass by unheard. */
  isDeaf = false
  readonly #network: Network
  readonly #consuming = new Set<Consuming>()
  readonly #listeners = new Set<(notice: TaskNotice) => void>()
  readonly #gapListeners = new Set<() => void>()
  #client: TaskMessaging | undefined
  /** Notices of one sender come in order: none overtakes another. */
  #lastNoticeAt = 0
  /** What is on its way arrives, whatever becomes of the connection. */
  readonly #courier: TaskMessaging

  constructor(network: Network) {
    this.#network = network
    this.#courier = network.world.engine.messaging()
    this.#open()
  }

  /** What the node had not settled is for others. */
  break(): void {
    if (this.#client === undefined) return
    this.#network.world.trace(this.#network.caller.name, 'the connection to queue and bus breaks')
    this.#network.world.engine.faults.kill(this.#client)
    this.#client = undefined
    for (const consuming of this.#consuming) consuming.consumer = undefined
  }

  async mend(): Promise<void> {
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

  messaging(): TaskMessaging {
    const network = this.#network
    const { process } = network.caller
    return {
      queue: {
        capabilities: this.#courier.queue.capabilities,
        send: (queue, message) =>
          network.call('queue.send', `${message.taskId.slice(-8)} version ${message.version}`, async () => {
            const { sends } = network.world
            sends.set(message.taskId, (sends.get(message.taskId) ?? 0) + 1)
            await this.#courier.queue.send(queue, message)
          }),
        depth: (queue) => network.call('queue.depth', queue, () => this.#courier.queue.depth(queue)),
        consume: async (queue, handler, { slots, mode }) => {
          const consuming: Consuming = { queue, handler, mode, slots, consumer: undefined, isClosed: false, handling: new Set() }
          await network.call('queue.consume', queue, async () => {
            this.#consuming.add(consuming)
            await this.#consume(consuming)
          })
          return {
            resize: (to) => {
              if (process.isDead) return
              consuming.slots = to
              consuming.consumer?.resize(to)
            },
            close: async () => {
              if (process.isDead) return never()
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
        capabilities: this.#courier.bus.capabilities,
        publish: (notices) =>
          network.call('bus.publish', notices.map(({ type, version }) => `${type} ${version}`).join(', '), () =>
            this.#courier.bus.publish(notices),
          ),
        subscribe: (listener) => addTo(this.#listeners, listener),
        onGap: (listener) => addTo(this.#gapListeners, listener),
        close: async () => {},
      },
      close: async () => {
        if (process.isDead) return never()
        await this.#client?.close()
        this.#client = undefined
      },
    }
  }

  #open(): void {
    const { world, caller } = this.#network
    this.#client = world.engine.messaging()
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
    // It may have broken again meanwhile, and this with it.
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

  /** As brokers have it: of a serial queue the acknowledgement is due at the end of the run. */
  async #handle({ handler, mode }: Consuming, delivery: Delivery): Promise<void> {
    const { message, redelivered, releases } = delivery
    const about = message.taskId.slice(-8)
    let isAccepted = false
    await handler({
      message,
      redelivered,
      releases,
      accept: async () => {
        isAccepted = true
        if (mode === 'parallel') await this.#network.call('queue.accept', about, () => delivery.accept())
      },
      release: (options) => this.#network.call('queue.release', about, () => delivery.release(options)),
      reject: (why) => this.#network.call('queue.reject', about, () => delivery.reject(why)),
    })
    if (isAccepted && mode === 'serial' && !this.#network.caller.process.isDead) await delivery.accept()
  }
}

const addTo = <Member>(members: Set<Member>, member: Member): (() => void) => {
  members.add(member)
  return () => void members.delete(member)
}
