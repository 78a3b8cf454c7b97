import type {
  Delivery,
  EventBus,
  EventStore,
  NodeRegistry,
  TaskNotice,
  TaskEvent,
  TaskId,
  TaskListing,
  WorkMessage,
  WorkQueue,
} from '@taskledger/core/ports'
import { silentLogger } from '@taskledger/core/ports'
import { createMemory } from '@taskledger/memory'
import type { Adapters, Harness } from '@taskledger/test-kit'

/** What all clients of one rule share. */
export interface World {
  /** Where something was put that no codec wrote: `queue`, `bus`, `history`. */
  readonly injected: ReadonlySet<string>
}

/** Makes what breaks the clients of one rule: called once for each rule, then with each client of it. */
export type Breakage = (world: World) => (client: Adapters) => Adapters

/** Memory, with every client broken in the same way. */
export const brokenHarness = (breakage: Breakage, deadlineMs: number): Harness<Adapters> => ({
  name: 'mutant',
  timing: { deadlineMs },
  open: async () => {
    const memory = createMemory({ logger: silentLogger })
    const injected = new Set<string>()
    const breakClient = breakage({ injected })
    const client = (): Adapters => {
      const storage = memory.storage()
      const messaging = memory.messaging()
      return breakClient({ storage, messaging, close: async () => void (await Promise.all([storage.close(), messaging.close()])) })
    }
    return {
      port: client(),
      peer: async () => client(),
      inject: async (bytes, where) => {
        const text = new TextDecoder().decode(bytes)
        const [kind = '', name = ''] = where.split(/\/(.*)/s)
        injected.add(kind)
        if (kind === 'queue') memory.faults.injectMessage(name, text)
        else if (kind === 'bus') memory.faults.injectNotice(text)
        else memory.faults.injectEvent(name as TaskId, text)
      },
    }
  },
})

/** The port, with some of its methods replaced. */
const altered = <Port extends object>(port: Port, methods: Partial<Port>): Port =>
  new Proxy(port, {
    get(target, key) {
      const value: unknown = Reflect.get(key in methods ? methods : target, key)
      return typeof value === 'function' && !(key in methods) ? (value.bind(target) as unknown) : value
    },
  })

export const breakStore =
  (methods: (world: World) => (store: EventStore) => Partial<EventStore>): Breakage =>
  (world) => {
    const make = methods(world)
    return (client) => {
      const events = altered(client.storage.events, make(client.storage.events))
      return { ...client, storage: altered(client.storage, { events }) }
    }
  }

export const breakListing =
  (methods: (world: World) => (listing: TaskListing) => Partial<TaskListing>): Breakage =>
  (world) => {
    const make = methods(world)
    return (client) => {
      const listing = altered(client.storage.listing, make(client.storage.listing))
      return { ...client, storage: altered(client.storage, { listing }) }
    }
  }

export const breakQueue =
  (methods: (world: World) => (queue: WorkQueue) => Partial<WorkQueue>): Breakage =>
  (world) => {
    const make = methods(world)
    return (client) => {
      const queue = altered(client.messaging.queue, make(client.messaging.queue))
      return { ...client, messaging: altered(client.messaging, { queue }) }
    }
  }

export const breakBus =
  (methods: (world: World) => (bus: EventBus) => Partial<EventBus>): Breakage =>
  (world) => {
    const make = methods(world)
    return (client) => {
      const bus = altered(client.messaging.bus, make(client.messaging.bus))
      return { ...client, messaging: altered(client.messaging, { bus }) }
    }
  }

export const breakNodes =
  (methods: Partial<NodeRegistry>): Breakage =>
  () =>
  (client) => ({ ...client, storage: altered(client.storage, { nodes: altered(client.storage.nodes, methods) }) })

/** A store that changes events when they are written. */
export const rewriting = (rewrite: (event: TaskEvent) => TaskEvent): Breakage =>
  breakStore(() => (store) => ({
    append: (taskId, expectedVersion, events, options) => store.append(taskId, expectedVersion, events.map(rewrite), options),
  }))

/** A bus on which only some are told of a notice. */
export const bus = (isTold: (notice: TaskNotice, own: ReadonlySet<string>) => boolean): Breakage =>
  breakBus(() => (port) => {
    // The nodes of this client are known by what it publishes.
    const own = new Set<string>()
    return {
      publish(notices, options) {
        for (const { node } of notices) own.add(node)
        return port.publish(notices, options)
      },
      subscribe: (listener) =>
        port.subscribe((notice) => {
          if (isTold(notice, own)) listener(notice)
        }),
      onGap: (listener) => port.onGap(listener),
    }
  })

/** A queue whose messages suffer on their way in; `count` is 1 for the first of them. */
export const sending = (send: (queue: WorkQueue, name: string, message: WorkMessage, count: number) => Promise<void>): Breakage =>
  breakQueue(() => {
    let count = 0
    return (queue) => ({ send: (name, message) => send(queue, name, message, ++count) })
  })

/** A queue whose deliveries suffer on their way out. */
export const delivering = (alter: (delivery: Delivery) => Partial<Delivery>): Breakage =>
  breakQueue(() => (queue) => ({
    consume: (name, handler, options) => queue.consume(name, (delivery) => handler(altered(delivery, alter(delivery))), options),
  }))

/** Several breakages at once. */
export const both =
  (...breakages: readonly Breakage[]): Breakage =>
  (world) => {
    const makes = breakages.map((breakage) => breakage(world))
    return (client) => makes.reduce((broken, make) => make(broken), client)
  }
