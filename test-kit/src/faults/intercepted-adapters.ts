import type {
  CallOptions,
  Consumer,
  Delivery,
  EventBus,
  EventStore,
  NodeRegistry,
  TaskId,
  TaskListing,
  TaskMessaging,
  TaskStorage,
  WorkQueue,
} from '@taskledger/core/ports'
import type { Adapters } from './adapters.ts'
import type { Call, CallName, CallPort, Calls, Interceptor, Next } from './calls.ts'

/** Wraps a storage: each of its calls goes through the interceptor. */
export const interceptedStorage = (storage: TaskStorage, intercept: Interceptor): TaskStorage => {
  const pass = passThrough(intercept)
  return {
    events: interceptedStore(storage.events, pass),
    listing: interceptedListing(storage.listing, pass),
    nodes: interceptedRegistry(storage.nodes, pass),
    close: () => pass('storage.close', [], () => storage.close()),
  }
}

/** Wraps a messaging: each of its calls, and each delivery and notice that it hands over, goes through the interceptor. */
export const interceptedMessaging = (messaging: TaskMessaging, intercept: Interceptor): TaskMessaging => {
  const pass = passThrough(intercept)
  return {
    queue: interceptedQueue(messaging.queue, pass),
    bus: interceptedBus(messaging.bus, pass),
    close: () => pass('messaging.close', [], () => messaging.close()),
  }
}

/** Wraps a storage and a messaging. */
export const interceptedAdapters = ({ storage, messaging, close }: Adapters, intercept: Interceptor): Adapters => ({
  storage: interceptedStorage(storage, intercept),
  messaging: interceptedMessaging(messaging, intercept),
  close,
})

/** An interceptor may answer with a promise of an iterable. */
type Answer<Name extends CallName, Result = ReturnType<Calls[Name]>> =
  Result extends AsyncIterable<unknown> ? Result | Promise<Result> : Result

type Pass = <Name extends CallName>(
  name: Name,
  args: Readonly<Parameters<Calls[Name]>>,
  make: Calls[Name],
  options?: CallOptions,
  taskId?: TaskId,
  queue?: string,
) => Answer<Name>

const passThrough =
  (intercept: Interceptor): Pass =>
  <Name extends CallName>(
    name: Name,
    args: Readonly<Parameters<Calls[Name]>>,
    make: Calls[Name],
    options?: CallOptions,
    taskId?: TaskId,
    queue?: string,
  ): Answer<Name> => {
    const next: Next = (...given) => (make as Next)(...(given.length === 0 ? args : given))
    return intercept({ name, port: portOf(name), args, taskId, queue, signal: options?.signal } as unknown as Call, next) as Answer<Name>
  }

const ports = new Map<CallName, CallPort>()

const portOf = (name: CallName): CallPort => {
  const port = ports.get(name) ?? (name.slice(0, name.indexOf('.')) as CallPort)
  ports.set(name, port)
  return port
}

const interceptedStore = (store: EventStore, pass: Pass): EventStore => ({
  capabilities: store.capabilities,
  append: (...args) => pass('events.append', args, (...given) => store.append(...given), args[3], args[0]),
  read: (...args) => pass('events.read', args, (...given) => store.read(...given), args[1], args[0]),
  async *histories(...args) {
    yield* await pass('events.histories', args, (...given) => store.histories(...given), args[0])
  },
  remove: (...args) => pass('events.remove', args, (...given) => store.remove(...given), args[1], args[0]),
  close: () => store.close(),
})

const interceptedListing = (listing: TaskListing, pass: Pass): TaskListing => ({
  capabilities: listing.capabilities,
  save: (...args) => pass('listing.save', args, (...given) => listing.save(...given), args[1], args[0].taskId),
  list: (...args) => pass('listing.list', args, (...given) => listing.list(...given), args[1]),
  async *unfinished(...args) {
    yield* await pass('listing.unfinished', args, (...given) => listing.unfinished(...given), args[1])
  },
  saveProgress: (...args) => pass('listing.saveProgress', args, (...given) => listing.saveProgress(...given), args[2], args[0].taskId),
  progress: (...args) => pass('listing.progress', args, (...given) => listing.progress(...given), args[1], args[0].taskId),
  remove: (...args) => pass('listing.remove', args, (...given) => listing.remove(...given), args[1], args[0].taskId),
  close: () => listing.close(),
})

const interceptedRegistry = (nodes: NodeRegistry, pass: Pass): NodeRegistry => ({
  capabilities: nodes.capabilities,
  renew: (...args) => pass('nodes.renew', args, (...given) => nodes.renew(...given), args[2]),
  leave: (...args) => pass('nodes.leave', args, (...given) => nodes.leave(...given), args[1]),
  live: (...args) => pass('nodes.live', args, (...given) => nodes.live(...given), args[0]),
  close: () => nodes.close(),
})

const interceptedQueue = (queue: WorkQueue, pass: Pass): WorkQueue => ({
  capabilities: queue.capabilities,
  send: (...args) => pass('queue.send', args, (...given) => queue.send(...given), args[2], args[1].taskId, args[0]),
  depth: (...args) => pass('queue.depth', args, (...given) => queue.depth(...given), args[1], undefined, args[0]),
  async *deadLetters(...args) {
    yield* await pass('queue.deadLetters', args, (...given) => queue.deadLetters(...given), args[1], undefined, args[0])
  },
  async consume(...args) {
    const consume: WorkQueue['consume'] = (name, handler, options) =>
      queue.consume(
        name,
        (delivery) =>
          pass('inbound.delivery', [interceptedDelivery(delivery, name, pass)], handler, undefined, delivery.message.taskId, name),
        options,
      )
    return interceptedConsumer(await pass('queue.consume', args, consume, args[2], undefined, args[0]), args[0], pass)
  },
  close: () => queue.close(),
})

const interceptedConsumer = (consumer: Consumer, queue: string, pass: Pass): Consumer => ({
  resize: (slots) => consumer.resize(slots),
  close: () => pass('consumer.close', [], () => consumer.close(), undefined, undefined, queue),
})

const interceptedDelivery = (delivery: Delivery, queue: string, pass: Pass): Delivery => {
  const { message, redelivered, releases } = delivery
  const { taskId } = message
  return {
    message,
    redelivered,
    releases,
    accept: () => pass('delivery.accept', [], () => delivery.accept(), undefined, taskId, queue),
    release: (...args) => pass('delivery.release', args, (...given) => delivery.release(...given), undefined, taskId, queue),
    reject: (...args) => pass('delivery.reject', args, (...given) => delivery.reject(...given), undefined, taskId, queue),
  }
}

const interceptedBus = (bus: EventBus, pass: Pass): EventBus => ({
  capabilities: bus.capabilities,
  publish: (...args) => pass('bus.publish', args, (...given) => bus.publish(...given), args[1]),
  subscribe: (listener) => bus.subscribe((notice) => pass('inbound.notice', [notice], listener, undefined, notice.taskId)),
  onGap: (listener) => bus.onGap(() => pass('inbound.gap', [], listener)),
  close: () => bus.close(),
})
