import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { evidenceWriter, readEvidence } from '../src/evidence/files.ts'
import { check } from '../src/verdict/check.ts'
import { reportOf } from '../src/verdict/report.ts'
import type { BrokenKind, Verdict } from '../src/verdict/verdict.ts'
import { brokenKinds, isAllWell } from '../src/verdict/verdict.ts'
import type { MadeUp } from './made-up-evidence.ts'
import {
  acknowledged,
  asked,
  awaited,
  completedBy,
  created,
  died,
  evidenceOf,
  historyOf,
  killed,
  run,
  startedBy,
  taskId,
} from './made-up-evidence.ts'

const [one, two] = ['worker-1.1', 'worker-2.1']
const life = historyOf(created, startedBy(one), completedBy(one))
const good: MadeUp = { history: life, runs: run(one, 1, 1_000, 2_000), clients: [asked, awaited(one)] }

const again = historyOf(created, startedBy(one), died(one), startedBy(two, 2), completedBy(two, 2))

const judge = (madeUp: MadeUp): Verdict => check(evidenceOf(madeUp))

/** The kinds of promises that are broken. */
const brokenOf = (madeUp: MadeUp): readonly BrokenKind[] => {
  const { broken } = judge(madeUp)
  return brokenKinds.filter((kind) => broken[kind].length > 0)
}

test('a good run breaks no promise, and is counted', () => {
  const verdict = judge(good)
  expect(verdict).toMatchObject({ submitted: 1, settled: 1, byStatus: { completed: 1 }, awaits: 1, runs: 1 })
  expect(isAllWell(verdict)).toBe(true)
  expect(reportOf(verdict)[1]).toBe('       1  settled (1 completed)')
})

test('a killed run whose task runs again breaks no promise, and is timed', () => {
  const runs = [...run(one, 1, 1_000), ...run(two, 2, 9_000, 9_500)]
  const verdict = judge({ history: again, runs, faults: [killed(one, 2_000)] })
  expect(isAllWell(verdict)).toBe(true)
  expect(verdict.againAfterKillMs).toEqual([7_000])
})

describe('lost', () => {
  test('an acknowledged task without a history', () => {
    expect(judge({ history: [] }).broken.lost).toEqual([`task ${taskId}: no history`])
  })

  test('a task that has not ended', () => {
    const history = historyOf(created, startedBy(one))
    expect(brokenOf({ history, runs: run(one, 1, 1_000), row: { taskId, version: 2, status: 'inProgress' } })).toEqual(['lost', 'leftOver'])
  })

  test('a task whose submit had an unknown outcome', () => {
    const history = historyOf(created)
    const submits = [{ type: 'unknown' as const, taskId, at: 0, why: 'OUTCOME_UNKNOWN' }]
    expect(brokenOf({ history, submits, row: { taskId, version: 1, status: 'waiting' } })).toEqual(['lost', 'leftOver'])
  })
})

describe('settled twice', () => {
  test('two ends in a history', () => {
    const history = historyOf(created, startedBy(one), completedBy(one), completedBy(one))
    expect(brokenOf({ ...good, history })).toContain('settledTwice')
  })

  test('two ends that awaits gave', () => {
    expect(brokenOf({ ...good, clients: [awaited(one), awaited(two)] })).toContain('settledTwice')
  })

  test('one key for two tasks', () => {
    const submits = [
      { ...acknowledged, key: 'k' },
      { ...acknowledged, key: 'k', taskId: 'another' },
    ]
    expect(judge({ ...good, submits }).broken.settledTwice).toEqual([`the key k was acknowledged as ${taskId}, and as another`])
  })
})

describe('overlapping', () => {
  const runs = [...run(one, 1, 1_000, 6_000, 5_990), ...run(two, 2, 4_000, 7_000)]

  test('two runs of one task at the same time', () => {
    expect(brokenOf({ history: again, runs })).toEqual(['overlapping'])
  })

  test('a run of a process that was killed later', () => {
    const stillThere = [...run(one, 1, 1_000), ...run(two, 2, 4_000, 7_000)]
    expect(brokenOf({ history: again, runs: stillThere, faults: [killed(one, 5_000)] })).toEqual(['overlapping'])
  })

  test('one attempt in two processes, even one after the other', () => {
    const history = historyOf(created, startedBy(one), completedBy(one))
    expect(judge({ history, runs: [...run(one, 1, 1_000, 2_000), ...run(two, 1, 3_000, 4_000)] }).broken.overlapping).toEqual([
      `attempt 1 of task ${taskId} ran on ${one} and on ${two}`,
    ])
  })

  test('not a frozen run, which is counted apart with the time until its signal was aborted', () => {
    const verdict = judge({ history: again, runs, faults: [{ type: 'frozen', process: one, at: 1_500, until: 5_950 }] })
    expect(isAllWell(verdict)).toBe(true)
    expect(verdict.abortedAfterFreezeMs).toEqual([40])
  })

  test('a frozen run that went on for long after the thaw', () => {
    expect(brokenOf({ history: again, runs, faults: [{ type: 'frozen', process: one, at: 1_500, until: 3_900 }] })).toEqual(['overlapping'])
  })

  test('a run that another one overlapped before the freeze', () => {
    expect(brokenOf({ history: again, runs, faults: [{ type: 'frozen', process: one, at: 4_500, until: 5_950 }] })).toEqual(['overlapping'])
  })
})

describe('unanswered', () => {
  test('an await', () => {
    expect(judge({ ...good, clients: [asked] }).broken.awaitsUnanswered).toEqual([`await of task ${taskId} by client-1.1`])
  })

  test('not an await of a killed process', () => {
    expect(brokenOf({ ...good, clients: [asked], faults: [killed('client-1.1', 500)] })).toEqual([])
  })
})

describe('contradictions', () => {
  const cancelAnswered = { type: 'cancelAnswered', taskId, process: 'client-1.1', at: 0 } as const

  test.for<[string, MadeUp]>([
    ['an await that gave another result', { ...good, clients: [awaited(two)] }],
    [
      'an await that was refused',
      { ...good, clients: [{ type: 'refused', what: 'await', taskId, process: 'client-1.1', at: 0, why: 'TASK_NOT_FOUND' }] },
    ],
    [
      'a cancel that gave cancelled, of a task that is not',
      { ...good, clients: [{ ...cancelAnswered, outcome: 'cancelled', status: 'cancelled' }] },
    ],
    [
      'a cancel request that no history has',
      { ...good, clients: [{ ...cancelAnswered, outcome: 'requested', status: 'cancelRequested' }] },
    ],
    [
      'a cancel that came too late and gave another end',
      { ...good, clients: [{ ...cancelAnswered, outcome: 'finished', status: 'failed' }] },
    ],
    ['a submit that was refused', { ...good, submits: [acknowledged, { type: 'refused', at: 0, why: 'IDEMPOTENCY_MISMATCH' }] }],
    ['a row that lags behind', { ...good, row: { taskId, version: 2, status: 'inProgress' } }],
    ['a row with another result', { ...good, row: { taskId, version: 3, status: 'completed', result: 'other' } }],
    ['a run without a claim in the history', { ...good, runs: [...run(one, 1, 1_000, 2_000), ...run(two, 2, 3_000, 4_000)] }],
    ['a completion without a run that returned', { ...good, runs: run(one, 1, 1_000) }],
    ['a history against the rules', { ...good, history: historyOf(created, completedBy(one)) }],
  ])('%s', ([, madeUp]) => {
    expect(brokenOf(madeUp)).toContain('contradictions')
  })

  test('not a cancel that came too late and gave the right end', () => {
    expect(brokenOf({ ...good, clients: [{ ...cancelAnswered, outcome: 'finished', status: 'completed' }] })).toEqual([])
  })
})

test('a process that ends by itself has crashed', () => {
  expect(brokenOf({ ...good, faults: [{ type: 'ended', process: one, at: 5_000, why: 'crashed' }] })).toEqual(['crashed'])
})

test('no message is left over, and the system is at rest', () => {
  expect(brokenOf({ ...good, left: { isSettled: false, settledAfterMs: 60_000, messages: {} } })).toEqual(['leftOver'])
  expect(brokenOf({ ...good, left: { isSettled: true, settledAfterMs: 0, messages: { 'taskledger.dead.default': 1 } } })).toEqual([
    'leftOver',
  ])
})

test('evidence is read from files, without a last line that was cut short', () => {
  const folder = mkdtempSync(join(tmpdir(), 'taskledger-chaos-test-'))
  try {
    evidenceWriter(folder, 'submits', 'submitter-1.1')(acknowledged)
    appendFileSync(join(folder, 'submits.submitter-1.1.jsonl'), '{"type":"ackn')
    evidenceWriter(folder, 'submits', 'submitter-2.1')({ ...acknowledged, taskId: 'another' })
    const evidence = readEvidence(folder)
    expect(evidence.submits.map(({ taskId }) => taskId)).toEqual([taskId, 'another'])
    expect(check(evidence).broken).toMatchObject({ lost: [], leftOver: [expect.stringContaining('did not come to its end')] })
  } finally {
    rmSync(folder, { recursive: true })
  }
})
