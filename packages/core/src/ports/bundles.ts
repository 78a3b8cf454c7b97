import type { EventBus } from './event-bus.ts'
import type { EventStore } from './event-store.ts'
import type { NodeRegistry } from './node-registry.ts'
import type { TaskListing } from './task-listing.ts'
import type { WorkQueue } from './work-queue.ts'

/** The ports that store. One client: its owner closes it. */
export interface TaskStorage {
  readonly events: EventStore
  readonly listing: TaskListing
  readonly nodes: NodeRegistry
  /** Closes the three ports and releases the engine. Closing twice is fine. */
  close(): Promise<void>
}

/** The ports that transport. One client: its owner closes it. */
export interface TaskMessaging {
  readonly queue: WorkQueue
  readonly bus: EventBus
  /** Closes the two ports and releases the engine. Closing twice is fine. */
  close(): Promise<void>
}
