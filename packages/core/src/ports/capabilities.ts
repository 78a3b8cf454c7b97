/** What an event store can and cannot do. The conformance kit reads it, and users see it. */
export interface EventStoreCapabilities {
  /**
   * Whether an acknowledged event outlives a restart of the engine. If false, then the history is gone with the process, and ES-3.5 does
   * not apply.
   */
  readonly durability: boolean
}

/** What a listing can and cannot do. */
export interface TaskListingCapabilities {
  /** Whether a saved row outlives a restart of the engine. If false, then the listing is gone with the process. */
  readonly durability: boolean
}

/** What a node registry can and cannot do. */
export interface NodeRegistryCapabilities {
  /**
   * By how many milliseconds the engine may expire a node too early or too late: 1,000 if it counts in whole seconds, 0 if it uses the
   * caller's clock.
   */
  readonly ttlGranularityMs: number
}

/** What a work queue can and cannot do. */
export interface WorkQueueCapabilities {
  /** Whether a sent message outlives a restart of the engine. If false, then WQ-1.3 does not apply. */
  readonly durability: boolean
  /** Within how many milliseconds a message is delivered again if its consumer died, or stood still, before it accepted. */
  readonly redeliveryWithinMs: number
  /** Whether `release({ delayMs })` waits. If false, then the message is delivered again at once. */
  readonly delayedRelease: boolean
}

/** What an event bus can and cannot do. */
export interface EventBusCapabilities {
  /**
   * Whether notices cross the borders of a process. If false, then only clients in one process hear one another, and EB-2.1 (a cut) does
   * not apply.
   */
  readonly crossesProcesses: boolean
}
