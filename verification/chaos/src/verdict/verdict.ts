/** The kinds of broken promises. A good run has none. */
export const brokenKinds = ['lost', 'settledTwice', 'overlapping', 'awaitsUnanswered', 'contradictions', 'crashed', 'leftOver'] as const

export type BrokenKind = (typeof brokenKinds)[number]

/** The judgement of a run. */
export interface Verdict {
  /** Acknowledged tasks; submits with the same key count once. */
  readonly submitted: number
  /** Acknowledged tasks that have ended. */
  readonly settled: number
  /** Acknowledged tasks by their final status. */
  readonly byStatus: Readonly<Record<string, number>>
  readonly unknown: number
  readonly awaits: number
  readonly cancels: number
  readonly runs: number
  /** Injected faults by kind. */
  readonly faults: Readonly<Record<string, number>>
  /** A sentence for each broken promise. */
  readonly broken: Readonly<Record<BrokenKind, readonly string[]>>
  /** For each run that overlapped after its process was frozen: from the thaw to its aborted signal, in milliseconds. */
  readonly abortedAfterFreezeMs: readonly number[]
  /** For each run that ended by SIGKILL: how long until its task ran again, in milliseconds. */
  readonly againAfterKillMs: readonly number[]
}

/** Whether no promise was broken. */
export const isAllWell = ({ broken }: Verdict): boolean => brokenKinds.every((kind) => broken[kind].length === 0)
