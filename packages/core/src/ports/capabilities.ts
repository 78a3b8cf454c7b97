/**
 * What an acknowledged write outlives: `none`: it is gone with the process. `restart`: a restart of the engine, also after a crash; a failover to a
 * replica may lose the last writes. `failover`: a failover too.
 */
export type Durability = 'none' | 'restart' | 'failover'

/** What an event store can and cannot do. The conformance kit reads it, and users see it. */
export interface EventStoreCapabilities {
  /** What an acknowledged event outlives. With `none`, ES-3.5 does not apply. */
  readonly durability: Durability
}

/** What a listing can and cannot do. */
export interface TaskListingCapabilities {
  /** What a saved row outlives. With `none`, TL-1.4 does not apply. */
  readonly durability: Durability
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
  /** What a sent message outlives. With `none`, WQ-1.3 does not apply. */
  readonly durability: Durability
  /**
   * Within how many milliseconds a message is delivered again if its consumer died, or stood still, before it accepted. Time-outs and
   * heartbeats of the adapter have to be shorter, so that a renewal that gets no answer can be repeated in time.
   */
  readonly redeliveryWithinMs: number
  /** Whether `release({ delayMs })` waits. If false, then the message is delivered again at once. */
  readonly delayedRelease: boolean
}

/** What an event bus can and cannot do. */
export interface EventBusCapabilities {
  /**
   * Whether notices cross the borders of a process. If false, then only clients in one process hear one another, and the rules about faults do
   * not apply.
   */
  readonly crossesProcesses: boolean
}
