import type { Clock, Logger, TaskMessaging, TaskStorage } from '@taskledger/core/ports'

/** What the engines of a simulated cluster hold, and what can befall their clients. `Memory` of `@taskledger/memory` is one. */
export interface SimulatedEngine {
  /** Opens a client of its own on the data. */
  storage(): TaskStorage
  /** Opens a client of its own on the queues and the bus. */
  messaging(): TaskMessaging
  /** How much there is in each queue. */
  inspect(): { readonly queues: Readonly<Record<string, SimulatedQueue>> }
  readonly faults: {
    /** The connection of a client breaks: what it had not settled is for others. */
    kill(client: TaskMessaging): void
  }
}

/** Counts of what a queue holds. */
export interface SimulatedQueue {
  readonly waiting: number
  readonly delayed: number
  readonly running: number
  readonly deadLetters: number
}

/** Makes empty engines on virtual time: `createMemory` of `@taskledger/memory` is one. They answer at once: the network is simulated. */
export type MakeEngine = (options: { readonly clock: Clock; readonly logger: Logger }) => SimulatedEngine

/** What a node can be cut off from. */
export type EngineName = 'events' | 'listing' | 'nodes' | 'queue' | 'bus'

export const storageEngines: readonly EngineName[] = ['events', 'listing', 'nodes']
export const messagingEngines: readonly EngineName[] = ['queue', 'bus']
