import type { EngineSettings } from '../engines.ts'

/** What a worker process is told by its parent, once it runs. */
export interface WorkerSettings {
  readonly name: string
  readonly engines: EngineSettings
  /** The folder of the index, which all workers of this machine share. */
  readonly index: string
  /** How long each new message waits, in milliseconds, where the mail is that of the example. */
  readonly paceMs?: number
  /** How many mailboxes it reindexes at a time. */
  readonly slots: number
  /** How long what runs may go on after SIGTERM before it is handed back, in milliseconds. */
  readonly drainMs: number
}

/** What a worker process tells its parent. */
export type WorkerReport = WorkerReady | WorkerFailed

export interface WorkerReady {
  readonly type: 'ready'
  readonly nodeId: string
  readonly queues: Readonly<Record<string, number>>
}

/** It could not begin, for a reason that people can mend. */
export interface WorkerFailed {
  readonly type: 'failed'
  readonly message: string
}
