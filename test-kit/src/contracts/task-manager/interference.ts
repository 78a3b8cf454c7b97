import type { CallOptions, Delivery, TaskNotice, TaskEvent, TaskId } from '@taskledger/core/ports'
import { outcomeUnknown, TaskledgerError } from '@taskledger/core/ports'

/** The calls that a rule can get hold of. */
export type CallName =
  | 'events.append'
  | 'events.read'
  | 'listing.save'
  | 'listing.saveProgress'
  | 'listing.progress'
  | 'listing.list'
  | 'queue.send'
  | 'bus.publish'
  | 'nodes.renew'

/** A call of one node to its storage or messaging. */
export interface Call {
  readonly name: CallName
  /** The task that it is about, where it is about one. */
  readonly taskId?: TaskId
  /** What is appended, where it is an append. */
  readonly events?: readonly TaskEvent[]
}

/** Which calls a fault meets. */
export type Meets = (call: Call) => boolean

/** `before`: the call is not made. `after`: it is made, and its answer is what suffers. */
export type Moment = 'before' | 'after'

/** Calls that are held. */
export interface Hold {
  /** How many have been caught so far. */
  readonly caught: number
  /** Lets them go on, and all that come after them. */
  release(): void
}

interface Fault {
  readonly moment: Moment
  readonly meets: Meets
  readonly strike: (call: Call, signal: AbortSignal | undefined) => Promise<void>
}

/** What comes between one node and its adapters. Nothing does until a rule asks for it. */
export class Interference {
  /** The notices that this node does not hear. */
  isDeafTo: (notice: TaskNotice) => boolean = () => false
  /** How often each message is sent. */
  copies = 1
  /** Whether a delivery is acknowledged when its handler has ended, and not when it is accepted: until then it may be lost. */
  acceptsAtEnd = false
  readonly #deliveries = new Map<Delivery, () => void>()
  readonly #handedOut: TaskId[] = []
  readonly #faults = new Set<Fault>()
  readonly #holds = new Set<Hold>()
  readonly #gapListeners = new Set<() => void>()
  readonly #written = new Set<TaskId>()

  /** The tasks to whose histories this node tried to write. */
  get written(): ReadonlySet<TaskId> {
    return this.#written
  }

  /** Holds calls until they are released, or their signal is aborted. */
  hold(moment: Moment, meets: Meets): Hold {
    let letGo = (): void => {}
    const released = new Promise<void>((resolve) => (letGo = resolve))
    const strike = async (_call: Call, signal: AbortSignal | undefined): Promise<void> => {
      hold.caught++
      await (signal === undefined ? released : Promise.race([released, rejectionOf(signal)]))
    }
    const end = this.#add({ moment, meets, strike })
    const hold = {
      caught: 0,
      release: (): void => {
        end()
        this.#holds.delete(hold)
        letGo()
      },
    }
    this.#holds.add(hold)
    return hold
  }

  /** Makes calls fail: `before` as unavailable, `after` as of unknown outcome. Returns what ends it. */
  fail(moment: Moment, meets: Meets): () => void {
    const strike = async ({ name }: Call): Promise<void> => {
      throw moment === 'before'
        ? new TaskledgerError('UNAVAILABLE', `the rule made ${name} fail`)
        : outcomeUnknown(`the rule lost the answer of ${name}`)
    }
    return this.#add({ moment, meets, strike })
  }

  /** Makes calls take their time. */
  slow(meets: Meets, wait: () => Promise<void>): void {
    this.#add({ moment: 'before', meets, strike: wait })
  }

  /** Tells this node that notices may have been missed. */
  gap(): void {
    for (const listener of this.#gapListeners) listener()
  }

  /** The tasks whose messages were handed to this node, in order. */
  get handedOut(): readonly TaskId[] {
    return this.#handedOut
  }

  /**
   * As if the engine had lost patience, or the connection: what this node is handling is for others, unless its handler has
   * ended. The handlers go on, and whatever they settle changes nothing.
   */
  loseDeliveries(): void {
    for (const lose of this.#deliveries.values()) lose()
  }

  /** Nothing comes between any more. */
  end(): void {
    for (const hold of this.#holds) hold.release()
    this.#faults.clear()
    this.copies = 1
  }

  /** @internal */
  onGap(listener: () => void): () => void {
    this.#gapListeners.add(listener)
    return () => void this.#gapListeners.delete(listener)
  }

  /** @internal */
  async handle(delivery: Delivery, handler: (delivery: Delivery) => Promise<void>): Promise<void> {
    const { message, redelivered, releases } = delivery
    this.#handedOut.push(message.taskId)
    let isLost = false
    let isAccepted = false
    const unlessLost =
      <Given extends readonly unknown[]>(settle: (...given: Given) => Promise<void>) =>
      async (...given: Given): Promise<void> => {
        if (!isLost) await settle(...given)
      }
    const accept = async (): Promise<void> => {
      isAccepted = true
      if (!this.acceptsAtEnd) await delivery.accept()
    }
    const lost = new Promise<void>((resolve) => {
      this.#deliveries.set(delivery, () => {
        isLost = true
        resolve()
      })
    })
    try {
      const rest = {
        message,
        redelivered,
        releases,
        release: unlessLost(delivery.release.bind(delivery)),
        reject: unlessLost(delivery.reject.bind(delivery)),
      }
      await Promise.race([handler({ ...rest, accept: unlessLost(accept) }), lost])
      if (isAccepted && !isLost && this.acceptsAtEnd) await delivery.accept()
    } finally {
      this.#deliveries.delete(delivery)
    }
  }

  /** @internal */
  async pass<T>(call: Call, options: CallOptions | undefined, make: () => Promise<T>): Promise<T> {
    if (call.name === 'events.append' && call.taskId !== undefined) this.#written.add(call.taskId)
    await this.#strike('before', call, options?.signal)
    const answer = await make()
    await this.#strike('after', call, options?.signal)
    return answer
  }

  #add(fault: Fault): () => void {
    this.#faults.add(fault)
    return () => void this.#faults.delete(fault)
  }

  async #strike(moment: Moment, call: Call, signal: AbortSignal | undefined): Promise<void> {
    for (const fault of this.#faults) if (fault.moment === moment && fault.meets(call)) await fault.strike(call, signal)
  }
}

const rejectionOf = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })

/** The calls of that name, about that task where one is given. */
export const calls =
  (name: CallName, taskId?: TaskId): Meets =>
  (call) =>
    call.name === name && (taskId === undefined || call.taskId === taskId)

/** The appends of an event of one of these types. */
export const appendsOf =
  (...types: readonly TaskEvent['type'][]): Meets =>
  ({ events = [] }) =>
    events.some(({ type }) => types.includes(type))
