import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TaskEvent, TaskStatus } from '@taskledger/core'

// What is noted during a run, outside the system that is tried: a line of JSON each. `process` names one process of one
// start, and is what the ids of its nodes begin with. Times are in milliseconds since 1970, by the one clock of the machine.

/** A body began, before it did anything else. */
export interface RunStarted {
  readonly type: 'started'
  readonly taskId: string
  readonly attempt: number
  readonly process: string
  readonly at: number
}

/** Its signal was aborted. */
export interface RunTold {
  readonly type: 'told'
  readonly taskId: string
  readonly attempt: number
  readonly process: string
  readonly at: number
  readonly reason: string
}

/** It is over, and does nothing more. */
export interface RunStopped {
  readonly type: 'stopped'
  readonly taskId: string
  readonly attempt: number
  readonly process: string
  readonly at: number
  readonly how: 'returned' | 'threw' | 'aborted'
}

export type RunLine = RunStarted | RunTold | RunStopped

/** A submit was acknowledged. */
export interface Acknowledged {
  readonly type: 'acknowledged'
  readonly taskId: string
  /** The idempotency key, if it had one. */
  readonly key?: string
  readonly at: number
}

/** A submitter was told that nobody knows what came of its submit; or it was told something that it never should be. */
export interface NotAcknowledged {
  readonly type: 'unknown' | 'refused'
  /** Where the error says it. */
  readonly taskId?: string
  readonly key?: string
  readonly at: number
  readonly why: string
}

export type SubmitLine = Acknowledged | NotAcknowledged

/** Somebody asked something about a task that was acknowledged. */
export interface Asked {
  readonly type: 'asked'
  readonly what: 'await' | 'cancel'
  readonly taskId: string
  readonly process: string
  readonly at: number
}

/** The end that an await was told. */
export interface Awaited {
  readonly type: 'awaited'
  readonly taskId: string
  readonly process: string
  readonly at: number
  readonly status: TaskStatus
  readonly result?: unknown
}

/** What came of a cancel. */
export interface CancelAnswered {
  readonly type: 'cancelAnswered'
  readonly taskId: string
  readonly process: string
  readonly at: number
  readonly outcome: 'cancelled' | 'requested' | 'finished'
  readonly status: TaskStatus
}

/** An await or a cancel that was told something that it never should be. */
export interface AskedInVain {
  readonly type: 'askedInVain'
  readonly what: 'await' | 'cancel'
  readonly taskId: string
  readonly process: string
  readonly at: number
  readonly why: string
}

export type ClientLine = Asked | Awaited | CancelAnswered | AskedInVain

/** A process is gone. `crashed`: nobody told it to. */
export interface Ended {
  readonly type: 'ended'
  readonly process: string
  readonly at: number
  readonly why: 'killed' | 'closed' | 'neverBegan' | 'crashed'
  readonly note?: string
}

/** A process stood still. */
export interface Frozen {
  readonly type: 'frozen'
  readonly process: string
  readonly at: number
  readonly until: number
}

/** What else was done: for people. */
export interface Struck {
  readonly type: 'struck'
  readonly fault: string
  readonly at: number
  readonly until: number
  /** What was wrong with the fault itself. */
  readonly failure?: string
}

export type FaultLine = Ended | Frozen | Struck

/** What the engines hold in the end, beside histories and listing. */
export interface Left {
  /** Whether all came to rest within the bound. */
  readonly isSettled: boolean
  readonly settledAfterMs: number
  /** Messages in queues, by queue; those of dead letters too. */
  readonly messages: Readonly<Record<string, number>>
}

/** What the event store holds of a task. */
export interface HistoryLine {
  readonly taskId: string
  readonly events: readonly TaskEvent[]
}

/** What of a listed row is held against its history. */
export interface Row {
  readonly taskId: string
  readonly version: number
  readonly status: TaskStatus
  readonly result?: unknown
}

/** The files of a run, and what stands in their lines: one of each kind for each process that has something to note. */
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

const evidenceFile = (folder: string, kind: EvidenceKind, process: string): string => join(folder, `${kind}.${process}.jsonl`)

/** Writes lines that are there even if the process is killed at once. */
export const witness = <Kind extends EvidenceKind>(folder: string, kind: Kind, process: string): ((line: EvidenceLines[Kind]) => void) => {
  const file = evidenceFile(folder, kind, process)
  return (line) => appendFileSync(file, `${JSON.stringify(line)}\n`)
}
