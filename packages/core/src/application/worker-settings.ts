import type { ConsumeMode } from '../ports/work-queue.ts'

/** What a worker takes from one queue. */
export interface QueueSettings {
  /** How many tasks of the queue it runs at a time. Default 4; of a serial queue, 1. */
  readonly slots?: number
  /** `serial`: one task of the queue at a time in the whole cluster, and at most one slot. Default `parallel`. */
  readonly mode?: ConsumeMode
}

/** The same, every choice made. */
export type ChosenQueueSettings = QueueSettings & { readonly slots: number }

/** How a worker works, every choice made. */
export interface WorkerSettings {
  readonly queues: Readonly<Record<string, ChosenQueueSettings>>
  /** How long a body may go on after its signal was aborted before it is abandoned, in milliseconds. */
  readonly cancelGraceMs: number
  /** How long closing waits for running tasks before it aborts them, in milliseconds. */
  readonly drainMs: number
  /** How often the progress of a task is saved at most, in milliseconds. */
  readonly progressIntervalMs: number
  /** How long a task that this node cannot decode is left to others before it is delivered again, in milliseconds. */
  readonly undecodableDelayMs: number
  /** How often a task that cannot be decoded is left to others before it is failed. */
  readonly undecodableReleases: number
}
