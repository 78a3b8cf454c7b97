import type { EventBus } from './event-bus.ts'
import type { EventStore } from './event-store.ts'
import type { NodeRegistry } from './node-registry.ts'
import type { TaskListing } from './task-listing.ts'
import type { WorkQueue } from './work-queue.ts'

/** What keeps. One client: whoever is given it closes it. */
export interface TaskStorage {
  readonly events: EventStore
  readonly listing: TaskListing
  readonly nodes: NodeRegistry
  /** Closes the three and lets go of the engine. Closing twice is fine. */
  close(): Promise<void>
}

/** What carries. One client: whoever is given it closes it. */
export interface TaskMessaging {
  readonly queue: WorkQueue
  readonly bus: EventBus
  /** Closes the two and lets go of the engine. Closing twice is fine. */
  close(): Promise<void>
}
