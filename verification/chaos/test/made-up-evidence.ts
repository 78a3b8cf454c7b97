import type { TaskEvent } from '@taskledger/core'
import type { ClientLine, EvidenceLines, FaultLine, RunLine, SubmitLine } from '../src/evidence/lines.ts'
import type { Evidence } from '../src/evidence/files.ts'

export const taskId = '0197c0de-0000-7000-8000-000000000001'

/** A part of an event, such as `{ type: 'TaskStarted', attempt: 1, node: 'worker-1.1-abc' }`: the rest is filled in. */
type Sketch = { readonly type: TaskEvent['type']; readonly node: string } & Readonly<Record<string, unknown>>

/** A history of the one task; each event a second after the one before. */
export const historyOf = (...sketches: readonly Sketch[]): readonly TaskEvent[] =>
  sketches.map(
    (sketch, index) => ({ taskId, version: index + 1, eventId: `e${index}`, at: 1_000 * index, ...sketch }) as unknown as TaskEvent,
  )

export const created: Sketch = { type: 'TaskCreated', node: 'submitter-1.1-abc' }
export const startedBy = (process: string, attempt = 1): Sketch => ({ type: 'TaskStarted', node: `${process}-abc`, attempt })
export const completedBy = (process: string, attempt = 1): Sketch => ({
  type: 'TaskCompleted',
  node: `${process}-abc`,
  attempt,
  result: { attempt, process },
})
export const died = (process: string, attempt = 1): Sketch => ({
  type: 'TaskDied',
  node: 'worker-4.1-abc',
  attempt,
  diedOn: `${process}-abc`,
  retryAt: 1,
})

export const run = (process: string, attempt: number, from: number, until?: number, abortedAt?: number): readonly RunLine[] => [
  { type: 'started', taskId, attempt, process, at: from },
  ...(abortedAt === undefined ? [] : [{ type: 'aborted' as const, taskId, attempt, process, at: abortedAt, reason: 'LEASE_LOST' }]),
  ...(until === undefined
    ? []
    : [
        {
          type: 'stopped' as const,
          taskId,
          attempt,
          process,
          at: until,
          how: abortedAt === undefined ? ('returned' as const) : ('aborted' as const),
        },
      ]),
]

export const killed = (process: string, at: number): FaultLine => ({ type: 'ended', process, at, why: 'killed' })
export const acknowledged: SubmitLine = { type: 'acknowledged', taskId, at: 0 }
export const asked: ClientLine = { type: 'asked', what: 'await', taskId, process: 'client-1.1', at: 0 }
export const awaited = (process: string, attempt = 1): ClientLine => ({
  type: 'awaited',
  taskId,
  process: 'client-1.1',
  at: 9_000,
  status: 'completed',
  result: { attempt, process },
})

export interface MadeUp {
  readonly history: readonly TaskEvent[]
  readonly runs?: readonly RunLine[]
  readonly submits?: readonly SubmitLine[]
  readonly clients?: readonly ClientLine[]
  readonly faults?: readonly FaultLine[]
  /** Default: the row that fits the history. */
  readonly row?: EvidenceLines['listing']
  readonly left?: EvidenceLines['left']
}

/** The evidence of a run with one task. */
export const evidenceOf = ({ history, runs = [], submits = [acknowledged], clients = [], faults = [], row, left }: MadeUp): Evidence => {
  const last = history.at(-1)
  const result = last?.type === 'TaskCompleted' ? { result: last.result } : {}
  const rightRow = {
    taskId,
    version: history.length,
    status: last?.type === 'TaskCancelled' ? 'cancelled' : 'completed',
    ...result,
  } as const
  return {
    runs,
    submits,
    clients,
    faults,
    histories: new Map([[taskId, history]]),
    listing: new Map([[taskId, row ?? rightRow]]),
    left: left ?? { isSettled: true, settledAfterMs: 0, messages: {} },
  }
}
