import type { EngineSettings } from '../environment/engines.ts'

/** The first message to a worker process. */
export interface WorkerSettings {
  readonly name: string
  readonly engines: EngineSettings
  /** The folder of the index, which all workers share. */
  readonly index: string
  /** How long each new message of the example waits, in milliseconds. */
  readonly paceMs?: number
  /** How many mailboxes it reindexes at a time. */
  readonly slots: number
  /** How long running tasks may go on after SIGTERM before they are released, in milliseconds. */
  readonly drainMs: number
}

/** A message from a worker process. */
export type WorkerReport = WorkerReady | WorkerFailed

export interface WorkerReady {
  readonly type: 'ready'
  readonly nodeId: string
  readonly queues: Readonly<Record<string, number>>
}

/** The worker could not start. */
export interface WorkerFailed {
  readonly type: 'failed'
  readonly message: string
}
