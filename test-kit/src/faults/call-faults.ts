import type { Delivery, EventBus, TaskNotice } from '@taskledger/core/ports'
import { outcomeUnknown, unavailable, within } from '@taskledger/core/ports'
import type { Call, CallFilter, Interceptor, Next } from './calls.ts'
import { DeliveryFaults } from './delivery-faults.ts'

/** `before`: the fault hits before the call is made. `after`: the call is made, and the fault hits its answer. */
export type FaultMoment = 'before' | 'after'

/** Calls that are held. */
export interface Hold {
  /** How many calls have been caught so far. */
  readonly caught: number
  /** Lets the caught calls and all later ones continue. */
  release(): void
}

interface Fault {
  readonly moment: FaultMoment
  readonly hits: CallFilter
  readonly strike: (call: Call) => Promise<void>
}

/** The faults of one node. None is active until a test asks for it. A fault never makes a close fail. */
export class CallFaults {
  /** The notices that this node does not receive. */
  dropsNotice: (notice: TaskNotice) => boolean = () => false
  /** How often each message is sent: 0 loses all of them, 2 and more duplicate them. */
  copies = 1
  readonly deliveries: DeliveryFaults = new DeliveryFaults()
  readonly #faults = new Set<Fault>()
  readonly #holds = new Set<Hold>()
  readonly #gapListeners = new Set<() => void>()

  /** Holds calls until they are released, or their signal is aborted. */
  hold(moment: FaultMoment, hits: CallFilter): Hold {
    let release = (): void => {}
    const released = new Promise<void>((resolve) => (release = resolve))
    const strike = ({ signal }: Call): Promise<void> => {
      hold.caught++
      return within(released, { signal })
    }
    const end = this.#add({ moment, hits, strike })
    const hold = {
      caught: 0,
      release: (): void => {
        end()
        this.#holds.delete(hold)
        release()
      },
    }
    this.#holds.add(hold)
    return hold
  }

  /**
   * Makes calls fail until the returned function is called. By default a call fails `before` with `UNAVAILABLE` and `after` with
   * `OUTCOME_UNKNOWN`.
   */
  fail(moment: FaultMoment, hits: CallFilter, makeError: (call: Call) => Error = defaultErrors[moment]): () => void {
    const strike = async (call: Call): Promise<void> => {
      throw makeError(call)
    }
    return this.#add({ moment, hits, strike })
  }

  /** Makes calls wait before they are made, until the returned function is called. */
  slow(hits: CallFilter, wait: (call: Call) => Promise<void>): () => void {
    return this.#add({ moment: 'before', hits, strike: wait })
  }

  /** Tells this node that it may have missed notices. */
  gap(): void {
    for (const listener of this.#gapListeners) listener()
  }

  /** Ends every fault. */
  heal(): void {
    for (const hold of this.#holds) hold.release()
    this.#faults.clear()
    this.copies = 1
    this.dropsNotice = () => false
  }

  /** Wraps the bus of the node, so that `gap()` reaches the listeners of the node. */
  withGaps(bus: EventBus): EventBus {
    return {
      ...bus,
      onGap: (listener) => {
        this.#gapListeners.add(listener)
        const unsubscribe = bus.onGap(listener)
        return () => {
          this.#gapListeners.delete(listener)
          unsubscribe()
        }
      },
    }
  }

  /** The interceptor for the adapters of the node. */
  readonly intercept: Interceptor = (call, next) => {
    switch (call.name) {
      case 'inbound.notice':
        return this.dropsNotice(call.args[0]) ? undefined : next()
      case 'inbound.delivery':
        return this.deliveries.handle(call.args[0], next as (delivery: Delivery) => Promise<void>)
      case 'queue.send':
        return this.#pass(call, () => this.#send(next))
      case 'inbound.gap':
      case 'consumer.close':
      case 'messaging.close':
      case 'storage.close':
        return next()
      default:
        return this.#pass(call, next)
    }
  }

  async #pass(call: Call, next: Next): Promise<unknown> {
    await this.#strike('before', call)
    const answer = await next()
    await this.#strike('after', call)
    return answer
  }

  async #strike(moment: FaultMoment, call: Call): Promise<void> {
    for (const fault of this.#faults) if (fault.moment === moment && fault.hits(call)) await fault.strike(call)
  }

  async #send(next: Next): Promise<void> {
    for (let copy = 0; copy < this.copies; copy++) await next()
  }

  #add(fault: Fault): () => void {
    this.#faults.add(fault)
    return () => void this.#faults.delete(fault)
  }
}

const defaultErrors: Readonly<Record<FaultMoment, (call: Call) => Error>> = {
  before: ({ name }) => unavailable(`${name} is made to fail`),
  after: ({ name }) => outcomeUnknown(`the answer of ${name} is made to get lost`),
}
