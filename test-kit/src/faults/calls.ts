import type {
  Delivery,
  EventBus,
  EventStore,
  NodeRegistry,
  TaskEvent,
  TaskId,
  TaskListing,
  TaskNotice,
  WorkQueue,
} from '@taskledger/core/ports'

/**
 * The calls between a node and its adapters that an interceptor sees, by name: every call that leaves the process, and, under
 * `inbound`, every call from an adapter to the node.
 */
export interface Calls {
  readonly 'events.append': EventStore['append']
  readonly 'events.read': EventStore['read']
  readonly 'events.histories': EventStore['histories']
  readonly 'events.remove': EventStore['remove']
  readonly 'listing.save': TaskListing['save']
  readonly 'listing.list': TaskListing['list']
  readonly 'listing.unfinished': TaskListing['unfinished']
  readonly 'listing.saveProgress': TaskListing['saveProgress']
  readonly 'listing.progress': TaskListing['progress']
  readonly 'listing.remove': TaskListing['remove']
  readonly 'nodes.renew': NodeRegistry['renew']
  readonly 'nodes.leave': NodeRegistry['leave']
  readonly 'nodes.live': NodeRegistry['live']
  readonly 'storage.close': () => Promise<void>
  readonly 'queue.send': WorkQueue['send']
  readonly 'queue.depth': WorkQueue['depth']
  readonly 'queue.consume': WorkQueue['consume']
  readonly 'queue.deadLetters': WorkQueue['deadLetters']
  readonly 'consumer.close': () => Promise<void>
  readonly 'delivery.accept': Delivery['accept']
  readonly 'delivery.release': Delivery['release']
  readonly 'delivery.reject': Delivery['reject']
  readonly 'bus.publish': EventBus['publish']
  readonly 'messaging.close': () => Promise<void>
  readonly 'inbound.delivery': (delivery: Delivery) => Promise<void>
  readonly 'inbound.notice': (notice: TaskNotice) => void
  readonly 'inbound.gap': () => void
}

/** The name of a call: its port and its method. */
export type CallName = keyof Calls

/** What a call belongs to: a port, or something that a port hands out, such as a delivery. */
export type CallPort = CallName extends infer Name ? (Name extends `${infer Port}.${string}` ? Port : never) : never

/** One call of a given name. */
export interface CallOf<Name extends CallName> {
  readonly name: Name
  readonly port: CallPort
  readonly args: Readonly<Parameters<Calls[Name]>>
  /** The task that the call is about, if the call is about one task. */
  readonly taskId: TaskId | undefined
  /** The queue that the call is about, if it is about one. */
  readonly queue: string | undefined
  /** The signal that the caller gave. */
  readonly signal: AbortSignal | undefined
}

/** One call. Its `name` tells which arguments it has. */
export type Call = { readonly [Name in CallName]: CallOf<Name> }[CallName]

/** Makes the call: with the arguments of the caller if none are given, else with the given ones. */
export type Next = (...args: readonly unknown[]) => unknown

/**
 * What comes between a node and its adapters. It returns what the caller gets, or a promise of it. What it returns for
 * `inbound.notice` and `inbound.gap` is ignored.
 */
export type Interceptor = (call: Call, next: Next) => unknown

/** A handler for each name of a call: it makes the call or does not, and gives the answer. */
export type CallHandlers = {
  readonly [Name in CallName]?: (next: Calls[Name], ...args: Parameters<Calls[Name]>) => ReturnType<Calls[Name]>
}

/** Makes an interceptor that handles the calls that are named, and passes on all others. */
export const onCalls =
  (handlers: CallHandlers): Interceptor =>
  (call, next) => {
    const handle = handlers[call.name] as ((next: Next, ...args: readonly unknown[]) => unknown) | undefined
    return handle === undefined ? next() : handle(next, ...call.args)
  }

/** Tells which calls a fault hits. */
export type CallFilter = (call: Call) => boolean

/** Hits the calls of a name, or of any method of a port; with a task id only those about that task. */
export const calls =
  (name: CallName | CallPort, taskId?: TaskId): CallFilter =>
  (call) =>
    (call.name === name || call.port === name) && (taskId === undefined || call.taskId === taskId)

/** Hits the calls to the event store, the task listing and the node registry. */
export const storageCalls: CallFilter = ({ port }) => port === 'events' || port === 'listing' || port === 'nodes'

/** The events that a call appends; none if it is another call. */
export const appendedBy = (call: Call): readonly TaskEvent[] => (call.name === 'events.append' ? call.args[2] : [])

/** Hits the appends of an event of one of these types. */
export const appendsOf =
  (...types: readonly TaskEvent['type'][]): CallFilter =>
  (call) =>
    appendedBy(call).some(({ type }) => types.includes(type))
