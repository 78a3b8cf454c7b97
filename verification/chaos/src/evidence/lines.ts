import type { TaskEvent, TaskStatus } from '@taskledger/core'

// What processes record during a run, outside the system under test: a line of JSON each. `process` names one start of one process, and the
// ids of its nodes begin with it. Times are in milliseconds since 1970, by the clock of the machine.

/** A body started, before it did anything else. */
interface RunStarted {
  readonly type: 'started'
  readonly taskId: string
  readonly attempt: number
  readonly process: string
  readonly at: number
}

/** The signal of a body was aborted. */
interface RunAborted {
  readonly type: 'aborted'
  readonly taskId: string
  readonly attempt: number
  readonly process: string
  readonly at: number
  readonly reason: string
}

/** A body stopped, and does nothing more. */
interface RunStopped {
  readonly type: 'stopped'
  readonly taskId: string
  readonly attempt: number
  readonly process: string
  readonly at: number
  readonly how: 'returned' | 'threw' | 'aborted'
}

export type RunLine = RunStarted | RunAborted | RunStopped

/** A submit was acknowledged. */
interface Acknowledged {
  readonly type: 'acknowledged'
  readonly taskId: string
  /** The idempotency key, if the submit had one. */
  readonly key?: string
  readonly at: number
}

/** `unknown`: the outcome of the submit is unknown. `refused`: the submit failed with an error that it never should fail with. */
interface NotAcknowledged {
  readonly type: 'unknown' | 'refused'
  /** The task that the error names. */
  readonly taskId?: string
  readonly key?: string
  readonly at: number
  readonly why: string
}

export type SubmitLine = Acknowledged | NotAcknowledged

/** A client awaits or cancels an acknowledged task. */
export interface Asked {
  readonly type: 'asked'
  readonly what: 'await' | 'cancel'
  readonly taskId: string
  readonly process: string
  readonly at: number
}

/** The outcome that an await resolved with. */
interface Awaited {
  readonly type: 'awaited'
  readonly taskId: string
  readonly process: string
  readonly at: number
  readonly status: TaskStatus
  readonly result?: unknown
}

/** What a cancel resolved with. */
interface CancelAnswered {
  readonly type: 'cancelAnswered'
  readonly taskId: string
  readonly process: string
  readonly at: number
  readonly outcome: 'cancelled' | 'requested' | 'finished'
  readonly status: TaskStatus
}

/** An await or a cancel failed with an error that it never should fail with. */
interface Refused {
  readonly type: 'refused'
  readonly what: 'await' | 'cancel'
  readonly taskId: string
  readonly process: string
  readonly at: number
  readonly why: string
}

export type ClientLine = Asked | Awaited | CancelAnswered | Refused

/** A process is gone. `crashed`: it ended although it was neither killed nor stopped. */
export interface Ended {
  readonly type: 'ended'
  readonly process: string
  readonly at: number
  readonly why: 'killed' | 'closed' | 'neverStarted' | 'crashed'
  readonly note?: string
}

/** A process was frozen by SIGSTOP. */
export interface Frozen {
  readonly type: 'frozen'
  readonly process: string
  readonly at: number
  readonly until: number
}

/** A fault was injected: for people, and for the counts. */
interface Injected {
  readonly type: 'injected'
  readonly fault: string
  readonly at: number
  readonly until: number
  /** Why the fault itself failed. */
  readonly failure?: string
}

export type FaultLine = Ended | Frozen | Injected

/** The state of the engines at the end, beside histories and listing. */
export interface Left {
  /** Whether everything came to rest within the bound. */
  readonly isSettled: boolean
  readonly settledAfterMs: number
  /** Messages by queue, those of dead-letter queues too. */
  readonly messages: Readonly<Record<string, number>>
}

/** The history of a task in the event store. */
interface HistoryLine {
  readonly taskId: string
  readonly events: readonly TaskEvent[]
}

/** The part of a listed row that is compared with the history. */
export interface Row {
  readonly taskId: string
  readonly version: number
  readonly status: TaskStatus
  readonly result?: unknown
}

/** The files of a run, and the type of their lines. Each process that records a kind has a file of its own. */
export interface EvidenceLines {
  readonly runs: RunLine
  readonly submits: SubmitLine
  readonly clients: ClientLine
  readonly faults: FaultLine
  readonly histories: HistoryLine
  readonly listing: Row
  readonly left: Left
}

export type EvidenceKind = keyof EvidenceLines
