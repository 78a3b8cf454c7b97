import { describe, expect, test } from 'vitest'
import type { TaskProgress } from '../../src/domain/task-event.ts'
import { detailsOf, isLaterProgress, mergeProgress } from '../../src/domain/task-details.ts'
import type { EventDraft } from '../../src/testing/index.ts'
import { completeEvents } from '../../src/testing/given-when-then.ts'
import { boom, cancelling, cancelRequested, created, final, inProgress, otherTask, started, waiting } from './stories.ts'

const tell = (events: readonly EventDraft[]): ReturnType<typeof detailsOf> => detailsOf(completeEvents(events))
const firstAt = 1_704_067_200_000
const minute = 60_000
const progress = (attempt: number, sequence: number): TaskProgress => ({ attempt, sequence, at: firstAt, value: { attempt, sequence } })

describe('the details of a task', () => {
  test('are undefined before it is created', () => {
    expect(tell([])).toBeUndefined()
    expect(tell([started(1)])).toBeUndefined()
  })

  test('that waits', () => {
    const more = { timeoutMs: 5_000, notBefore: firstAt + 1, labels: ['a'], idempotencyKey: 'key', retryOf: otherTask, queue: 'mail' }
    expect(tell([created(more)])).toEqual({
      taskId: '018cc251-f400-7000-8000-000000000000',
      type: 'reindex',
      typeVersion: 1,
      status: 'waiting',
      version: 1,
      queue: 'mail',
      labels: ['a'],
      createdAt: firstAt,
      createdOn: 'node-a',
      updatedAt: firstAt,
      updatedOn: 'node-a',
      attempt: 0,
      dueAt: firstAt + 1,
      timeoutMs: 5_000,
      idempotencyKey: 'key',
      retryOf: otherTask,
    })
  })

  test('that runs: since when, where, and no longer when it is due', () => {
    const details = tell([created({ notBefore: firstAt + 1 }), { ...started(1), node: 'node-c' }])
    expect(details).toMatchObject({ status: 'inProgress', attempt: 1, startedAt: firstAt + minute, node: 'node-c', createdOn: 'node-a' })
    expect(details).not.toHaveProperty('dueAt')
  })

  test('that runs: the fencing token of its attempt, also of a history without tokens', () => {
    expect(tell([created(), { ...started(1), fence: firstAt + 7 }])).toMatchObject({ fence: firstAt + 7 })
    expect(tell([created(), { ...started(1), at: firstAt - 9 }])).toMatchObject({ fence: firstAt + 1 })
    expect(tell([created()])).not.toHaveProperty('fence')
  })

  test('whose cancellation was requested: when, by whom, why', () => {
    const request = { cancelRequestedAt: firstAt + 2 * minute, cancelRequestedBy: 'ann' }
    expect(tell(cancelling)).toMatchObject({ status: 'cancelRequested', ...request })
    expect(tell(cancelling)).not.toHaveProperty('cancelReason')
    expect(tell([...inProgress, { type: 'TaskCancelRequested', by: 'ann', reason: 'why not' }])).toMatchObject({
      ...request,
      cancelReason: 'why not',
    })
  })

  test('that completed: its result, its last progress, no error of an earlier attempt', () => {
    const failed: EventDraft = { type: 'TaskFailed', attempt: 1, error: boom, progress: progress(1, 3), retryAt: firstAt }
    const completed: EventDraft = { type: 'TaskCompleted', attempt: 2, result: 12, progress: progress(2, 1) }
    const details = tell([...inProgress, failed, started(2), completed])
    expect(details).toMatchObject({
      status: 'completed',
      attempt: 2,
      result: 12,
      progress: progress(2, 1),
      finishedAt: firstAt + 4 * minute,
    })
    expect(details).not.toHaveProperty('error')
  })

  test('that failed and waits for its next attempt: the error, and when', () => {
    const details = tell([...inProgress, { type: 'TaskFailed', attempt: 1, error: boom, retryAt: firstAt + 9 * minute }])
    expect(details).toMatchObject({ status: 'waiting', error: boom, dueAt: firstAt + 9 * minute })
    expect(details).not.toHaveProperty('finishedAt')
  })

  test('that failed finally', () => {
    expect(tell(final.failed)).toMatchObject({ status: 'failed', error: boom, finishedAt: firstAt + 2 * minute })
  })

  test('that was cancelled', () => {
    expect(tell([...waiting, cancelRequested, { type: 'TaskCancelled' }])).toMatchObject({ status: 'cancelled', attempt: 0 })
    const abandoned: EventDraft = { type: 'TaskCancelled', attempt: 1, abandoned: true, error: boom }
    expect(tell([...cancelling, abandoned])).toMatchObject({
      status: 'cancelled',
      abandoned: true,
      error: boom,
      finishedAt: firstAt + 3 * minute,
    })
  })

  test('that died names the node that stopped', () => {
    expect(tell(final.died)).toMatchObject({
      status: 'died',
      error: { name: 'NodeDied', message: 'node node-a stopped while it ran attempt 1', attempt: 1 },
      crashes: 1,
    })
  })

  test('that died has the last report', () => {
    expect(tell([...inProgress, { type: 'TaskDied', attempt: 1, diedOn: 'node-a', progress: progress(1, 4) }])).toMatchObject({
      progress: progress(1, 4),
    })
  })

  test('that was released waits, is due at once, and names no node and no start of an attempt that is over', () => {
    const details = tell([...inProgress, { type: 'TaskReleased', attempt: 1 }])
    expect(details).toMatchObject({ status: 'waiting', attempt: 1 })
    for (const property of ['dueAt', 'node', 'startedAt', 'error', 'crashes']) expect(details).not.toHaveProperty(property)
  })

  test('that was released because its node stood still: the error says so, and it counts', () => {
    const released: EventDraft = { type: 'TaskReleased', attempt: 1, reason: 'leaseLost', progress: progress(1, 4), node: 'node-c' }
    const details = tell([...inProgress, released])
    expect(details).toMatchObject({ status: 'waiting', crashes: 1, progress: progress(1, 4), error: { name: 'LeaseLost', attempt: 1 } })
    expect(details?.error?.message).toBe(
      'node node-c stood still and lost its lease while it ran attempt 1: does the body block the event loop?',
    )
    expect(details).not.toHaveProperty('node')
  })

  test('that runs again: the error says which attempt failed', () => {
    const failed: EventDraft = { type: 'TaskFailed', attempt: 1, error: boom, retryAt: firstAt }
    expect(tell([...inProgress, failed, started(2)])).toMatchObject({ status: 'inProgress', attempt: 2, error: { ...boom, attempt: 1 } })
  })
})

describe('progress', () => {
  test('is later by attempt, then by sequence', () => {
    expect(isLaterProgress(progress(1, 1), undefined)).toBe(true)
    expect(isLaterProgress(progress(1, 2), progress(1, 1))).toBe(true)
    expect(isLaterProgress(progress(2, 1), progress(1, 9))).toBe(true)
    expect(isLaterProgress(progress(1, 1), progress(1, 1))).toBe(false)
    expect(isLaterProgress(progress(1, 9), progress(2, 1))).toBe(false)
  })

  test('that was saved beside the history shows if it is later', () => {
    const details = tell(inProgress)
    if (details === undefined) throw new Error('a task in progress has details')
    expect(mergeProgress(details, progress(1, 1)).progress).toEqual(progress(1, 1))
    expect(mergeProgress({ ...details, progress: progress(2, 1) }, progress(1, 1)).progress).toEqual(progress(2, 1))
    expect(mergeProgress(details, undefined)).toEqual(details)
  })

  test('does not change a finished task', () => {
    const details = tell(final.completed)
    if (details === undefined) throw new Error('a completed task has details')
    expect(mergeProgress(details, progress(1, 1))).toEqual(details)
  })
})
