import type { EventBus, EventStore, TaskMessaging, NodeRegistry, TaskStorage, TaskListing, WorkQueue } from '@taskledger/core/ports'
import type { Interference } from './interference.ts'

/** A storage whose calls can be interfered with. */
export const interferedStorage = (storage: TaskStorage, interference: Interference): TaskStorage => ({
  events: interferedStore(storage.events, interference),
  listing: interferedListing(storage.listing, interference),
  nodes: interferedRegistry(storage.nodes, interference),
  close: () => storage.close(),
})

/** A messaging whose calls can be interfered with. */
export const interferedMessaging = (messaging: TaskMessaging, interference: Interference): TaskMessaging => ({
  queue: interferedQueue(messaging.queue, interference),
  bus: interferedBus(messaging.bus, interference),
  close: () => messaging.close(),
})

const interferedRegistry = (nodes: NodeRegistry, interference: Interference): NodeRegistry => ({
  capabilities: nodes.capabilities,
  renew: (node, ttlMs, options) => interference.pass({ name: 'nodes.renew' }, options, () => nodes.renew(node, ttlMs, options)),
  leave: (nodeId, options) => nodes.leave(nodeId, options),
  live: (options) => nodes.live(options),
  close: () => nodes.close(),
})

const interferedStore = (store: EventStore, interference: Interference): EventStore => ({
  capabilities: store.capabilities,
  append: (taskId, expectedVersion, events, options) =>
    interference.pass({ name: 'events.append', taskId, events }, options, () => store.append(taskId, expectedVersion, events, options)),
  read: (taskId, options) => interference.pass({ name: 'events.read', taskId }, options, () => store.read(taskId, options)),
  histories: (options) => store.histories(options),
  remove: (taskId, options) => store.remove(taskId, options),
  close: () => store.close(),
})

const interferedListing = (listing: TaskListing, interference: Interference): TaskListing => ({
  capabilities: listing.capabilities,
  save: (details, options) =>
    interference.pass({ name: 'listing.save', taskId: details.taskId }, options, () => listing.save(details, options)),
  saveProgress: (taskId, progress, options) =>
    interference.pass({ name: 'listing.saveProgress', taskId }, options, () => listing.saveProgress(taskId, progress, options)),
  progress: (taskId, options) => interference.pass({ name: 'listing.progress', taskId }, options, () => listing.progress(taskId, options)),
  list: (filter, page) => interference.pass({ name: 'listing.list' }, page, () => listing.list(filter, page)),
  unfinished: (shard, options) => listing.unfinished(shard, options),
  remove: (task, options) => listing.remove(task, options),
  close: () => listing.close(),
})

const interferedQueue = (queue: WorkQueue, interference: Interference): WorkQueue => ({
  capabilities: queue.capabilities,
  send: (name, message, options) =>
    interference.pass({ name: 'queue.send', taskId: message.taskId }, options, async () => {
      for (let copy = 0; copy < interference.copies; copy++) await queue.send(name, message, options)
    }),
  depth: (name, options) => queue.depth(name, options),
  consume: (name, handler, options) => queue.consume(name, (delivery) => interference.handle(delivery, handler), options),
  close: () => queue.close(),
})

const interferedBus = (bus: EventBus, interference: Interference): EventBus => ({
  capabilities: bus.capabilities,
  publish: (notices, options) => interference.pass({ name: 'bus.publish' }, options, () => bus.publish(notices, options)),
  subscribe: (listener) =>
    bus.subscribe((notice) => {
      if (!interference.isDeafTo(notice)) listener(notice)
    }),
  onGap(listener) {
    const endings = [bus.onGap(listener), interference.onGap(listener)]
    return () => {
      for (const end of endings) end()
    }
  },
  close: () => bus.close(),
})
