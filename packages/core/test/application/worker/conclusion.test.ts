import type { TaskId, TaskProgress } from '@taskledger/core/ports'
import type { TaskCommand } from '../../../src/domain/task-command.ts'
import { describe, expect, test } from 'vitest'
import { TaskAborted } from '../../../src/application/node/errors.ts'
import type { AbortCode } from '../../../src/application/node/errors.ts'
import { conclusionOf } from '../../../src/application/worker/conclusion.ts'
import type { Ending } from '../../../src/application/worker/conclusion.ts'

const base = { taskId: '0192aaaa-0000-7000-8000-000000000000' as TaskId, at: 5, node: 'a', eventIds: ['1', '2'] } as const
const progress: TaskProgress = { attempt: 3, sequence: 1, at: 4, value: 'half' }
const aborted = (code: AbortCode): TaskAborted => new TaskAborted(code, `aborted by ${code}`)
const abortError = Object.assign(new Error('stopped'), { name: 'AbortError' })
const conclude = (ending: Ending, reason?: TaskAborted, isCrash = false): TaskCommand | undefined =>
  conclusionOf(ending, { attempt: 3, aborted: reason, progress, isCrash }, base, () => 0.5)

const returned = (value: unknown): Ending => ({ type: 'returned', value })
const threw = (thrown: unknown): Ending => ({ type: 'threw', thrown })
const abandoned: Ending = { type: 'abandoned' }
const cancel = aborted('CANCEL_REQUESTED')
const timeout = aborted('TIMED_OUT')

type Row = readonly [title: string, ending: Ending, reason: TaskAborted | undefined, expected: object | undefined]

const rows: readonly Row[] = [
  ['a returned value completes', returned({ done: 1 }), undefined, { type: 'CompleteTask', result: { done: 1 }, progress }],
  ['a body that returns nothing completes without a result', returned(undefined), undefined, { type: 'CompleteTask', progress }],
  ['a body that returns after a cancel completes', returned(1), cancel, { type: 'CompleteTask', result: 1, progress }],
  ['a body that returns after its lease is lost completes', returned(1), aborted('LEASE_LOST'), { type: 'CompleteTask', result: 1 }],
  ['a result that is not JSON fails for good', returned(() => {}), undefined, { type: 'FailTask', retryable: false }],
  ['a thrown error fails, retryable', threw(new Error('no')), undefined, { type: 'FailTask', retryable: true, random: 0.5, progress }],
  ['the abort error of a cancel cancels without an error', threw(abortError), cancel, { type: 'CancelTask', progress }],
  ['the reason of a cancel, rethrown, cancels without an error', threw(cancel), cancel, { type: 'CancelTask' }],
  [
    'another error after a cancel cancels and is kept',
    threw(new Error('late')),
    cancel,
    { type: 'CancelTask', error: { message: 'late' } },
  ],
  ['a body abandoned after a cancel cancels', abandoned, cancel, { type: 'CancelTask', abandoned: true }],
  ['a body that stops at its timeout fails, retryable', threw(abortError), timeout, { type: 'FailTask', retryable: true }],
  ['a body abandoned at its timeout fails for good', abandoned, timeout, { type: 'FailTask', retryable: false }],
  ['a shutdown releases', threw(abortError), aborted('SHUTTING_DOWN'), { type: 'ReleaseTask', attempt: 3 }],
  ['a body abandoned at a shutdown is released', abandoned, aborted('SHUTTING_DOWN'), { type: 'ReleaseTask', attempt: 3 }],
  ['a lost lease releases', threw(abortError), aborted('LEASE_LOST'), { type: 'ReleaseTask', attempt: 3 }],
  ['an attempt that ended elsewhere is not settled', threw(abortError), aborted('ATTEMPT_LOST'), undefined],
  ['an attempt that ended elsewhere is not settled by an abandoned body', abandoned, aborted('ATTEMPT_LOST'), undefined],
]

describe('the command that settles an attempt', () => {
  test.for(rows)('%s', ([, ending, reason, expected]) => {
    const command = conclude(ending, reason)
    if (expected === undefined) expect(command).toBeUndefined()
    else expect(command).toMatchObject({ ...base, attempt: 3, ...expected })
  })

  test("a cancel by the body's own abort error carries no error", () => {
    expect(conclude(threw(abortError), cancel)).not.toHaveProperty('error')
  })

  test('a lease that was lost because the process stood still counts, so the release carries the progress', () => {
    const command = conclude(threw(abortError), aborted('LEASE_LOST'), true)
    expect(command).toEqual({ type: 'ReleaseTask', ...base, attempt: 3, progress, reason: 'leaseLost' })
  })

  test('a release carries no progress: the worker saved it', () => {
    expect(conclude(threw(abortError), aborted('SHUTTING_DOWN'))).not.toHaveProperty('progress')
  })
})
