/** What an event store can and cannot do. Read by the conformance kit and shown to users. */
export interface EventStoreCapabilities {
  /**
   * Whether an acknowledged event outlives a restart of the engine. Default true. If false, then the history is gone with
   * the process, and ES-3.5 does not apply.
   */
  readonly durability: boolean
}

/** What a listing can and cannot do. */
export interface TaskListingCapabilities {
  /** Whether a saved row outlives a restart of the engine. Default true. If false, then the listing is gone with the process. */
  readonly durability: boolean
}

/** What a node registry can and cannot do. */
export interface NodeRegistryCapabilities {
  /**
   * How far from its time a node may vanish, in milliseconds. Default 1,000. A registry whose engine counts in whole
   * seconds says 1,000; one on the caller's clock says 0.
   */
  readonly ttlGranularityMs: number
}

/** What a work queue can and cannot do. */
export interface WorkQueueCapabilities {
  /** Whether a sent message outlives a restart of the engine. Default true. If false, then WQ-1.3 does not apply. */
  readonly durability: boolean
  /**
   * Within how many milliseconds a message comes back whose consumer died before it accepted. Default 30,000.
   */
  readonly redeliveryWithinMs: number
  /** Whether `release({ delayMs })` really waits. Default true. If false, then the message comes back at once. */
  readonly delayedRelease: boolean
}

/** What an event bus can and cannot do. */
export interface EventBusCapabilities {
  /**
   * Whether notices cross the borders of a process. Default true. If false, then only clients in one process hear one
   * another, and EB-2.1 (a cut) does not apply.
   */
  readonly crossesProcesses: boolean
}
