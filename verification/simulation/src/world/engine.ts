import type { Clock, Logger, TaskMessaging, TaskStorage } from '@taskledger/core/ports'

/** The engines of a simulated cluster. `Memory` of `@taskledger/memory` is one. */
export interface SimulatedEngine {
  /** Opens a client of its own on the data. */
  storage(): TaskStorage
  /** Opens a client of its own on the queues and the bus. */
  messaging(): TaskMessaging
  /** How much each queue holds. */
  inspect(): { readonly queues: Readonly<Record<string, SimulatedQueue>> }
  readonly faults: {
    /** Breaks the connection of a client: what it has not settled is delivered again. */
    kill(client: TaskMessaging): void
  }
}

/** How much a queue holds. */
export interface SimulatedQueue {
  readonly waiting: number
  readonly delayed: number
  readonly running: number
  readonly deadLetters: number
}

/** Makes empty engines on virtual time: `createMemory` of `@taskledger/memory` is one. They answer at once, because the network is simulated. */
export type MakeEngine = (options: { readonly clock: Clock; readonly logger: Logger }) => SimulatedEngine

/** The engines that a node can be cut off from. */
export type EngineName = 'events' | 'listing' | 'nodes' | 'queue' | 'bus'

export const storageEngines: readonly EngineName[] = ['events', 'listing', 'nodes']
export const messagingEngines: readonly EngineName[] = ['queue', 'bus']
