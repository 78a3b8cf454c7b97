import { describe, expect, test } from 'vitest'
import type { TaskId } from '../../src/domain/task-id.ts'
import { checkHistory } from '../../src/testing/check-history.ts'
import type { EventDraft } from '../../src/testing/given-when-then.ts'
import { completeEvents } from '../../src/testing/given-when-then.ts'
import { boom, cancelling, cancelRequested, created, finals, inProgress, otherTask, started, waiting } from '../domain/stories.ts'

const check = (drafts: readonly EventDraft[], clockSkewMs?: number): readonly string[] =>
  checkHistory(completeEvents(drafts), clockSkewMs === undefined ? {} : { clockSkewMs })

const completed: EventDraft = { type: 'TaskCompleted', attempt: 1 }
const failed = (attempt: number, retryAt?: number): EventDraft => ({
  type: 'TaskFailed',
  attempt,
  error: boom,
  ...(retryAt === undefined ? {} : { retryAt }),
})
const died = (attempt: number, retryAt?: number): EventDraft => ({
  type: 'TaskDied',
  attempt,
  diedOn: 'node-a',
  ...(retryAt === undefined ? {} : { retryAt }),
})
const released = (attempt: number): EventDraft => ({ type: 'TaskReleased', attempt })
const cancelled = (attempt?: number): EventDraft => ({ type: 'TaskCancelled', ...(attempt === undefined ? {} : { attempt }) })

describe('a correct history', () => {
  test.each<[string, readonly EventDraft[]]>([
    ['empty', []],
    ['waiting', waiting],
    ['in progress', inProgress],
    ['with its cancellation requested', cancelling],
    ...finals,
    ['cancelled before it ran', [...waiting, cancelRequested, cancelled()]],
    ['cancelled between two attempts', [...inProgress, failed(1, 1), cancelRequested, cancelled()]],
    ['cancelled after its node died', [...inProgress, died(1, 1), cancelRequested, cancelled()]],
    ['cancelled as its node had died', [...cancelling, died(1, 1), cancelled(1)]],
    ['completed in spite of the request', [...cancelling, completed]],
    ['of many attempts', [...inProgress, failed(1, 1), started(2), died(2, 1), started(3), released(3), started(4), failed(4)]],
  ])('%s', (_what, drafts) => {
    expect(check(drafts)).toEqual([])
  })
})

describe('each rule finds its violation, and names it', () => {
  test.each<[string, readonly EventDraft[], readonly string[]]>([
    [
      'a version is missing',
      [created(), { ...started(1), version: 3 }],
      ['TaskStarted (version 3) is at position 2: versions are 1, 2, 3, …'],
    ],
    [
      'a version comes twice',
      [created(), { ...started(1), version: 1 }],
      ['TaskStarted (version 1) is at position 2: versions are 1, 2, 3, …'],
    ],
    [
      'an event of another task',
      [created(), { ...started(1), taskId: otherTask }],
      [`TaskStarted (version 2) is of task ${otherTask}, in the history of task 018cc251-f400-7000-8000-000000000000`],
    ],
    [
      'an event id comes twice',
      [created(), { ...started(1), eventId: 'event-1' }],
      ['TaskStarted (version 2) has the event id of TaskCreated (version 1): event ids are unique'],
    ],
    ['it begins with something else', [cancelRequested], ['TaskCancelRequested (version 1) comes first: TaskCreated has to']],
    ['it is created twice', [created(), created()], ['TaskCreated (version 2) comes later: only the first event is a TaskCreated']],
    [
      'something comes after the end',
      [...inProgress, completed, cancelRequested],
      ['TaskCancelRequested (version 4) comes after TaskCompleted (version 3), which was final'],
    ],
    [
      'it is settled twice',
      [...inProgress, completed, completed],
      [
        'TaskCompleted (version 4) comes after TaskCompleted (version 3), which was final',
        'TaskCompleted (version 4) settles attempt 1, which does not run',
      ],
    ],
    ['an attempt is left out', [created(), started(2)], ['TaskStarted (version 2) starts attempt 2: attempt 1 would be next']],
    [
      'an attempt comes twice',
      [...inProgress, released(1), started(1)],
      ['TaskStarted (version 4) starts attempt 1: attempt 2 would be next'],
    ],
    ['two attempts run at a time', [...inProgress, started(2)], ['TaskStarted (version 3) starts attempt 2 while attempt 1 runs']],
    [
      'an attempt is settled that was never started',
      [created(), failed(1)],
      ['TaskFailed (version 2) settles attempt 1, which does not run'],
    ],
    [
      'a zombie settles its attempt',
      [...inProgress, died(1, 1), started(2), completed],
      ['TaskCompleted (version 5) settles attempt 1, which does not run'],
    ],
    [
      'an attempt is settled twice',
      [...inProgress, died(1, 1), released(1)],
      ['TaskReleased (version 4) settles attempt 1, which does not run'],
    ],
    ['a cancellation leaves the attempt open', [...cancelling, cancelled()], ['TaskCancelled (version 4) ends no attempt, attempt 1 runs']],
    [
      'a cancellation ends an attempt that does not run',
      [...inProgress, failed(1, 1), cancelRequested, cancelled(1)],
      ['TaskCancelled (version 5) ends attempt 1, no attempt runs'],
    ],
    ['a cancellation without a request', [created(), cancelled()], ['TaskCancelled (version 2) comes without a request to cancel']],
    [
      'it is started again after the request',
      [...cancelling, released(1), started(2)],
      ['TaskStarted (version 5) starts the task again after TaskCancelRequested (version 3)'],
    ],
    [
      'a fencing token that does not grow',
      [created(), { ...started(1), fence: 2e12 }, released(1), { ...started(2), fence: 2e12 }],
      ['TaskStarted (version 4) has the fencing token 2000000000000: it has to be more than 2000000000000'],
    ],
    [
      'time runs backwards',
      [created({ at: 10_000 }), { ...started(1), at: 8_999 }],
      ['TaskStarted (version 2) happened 1001 ms before an event that precedes it'],
    ],
  ])('%s', (_what, drafts, violations) => {
    expect(check(drafts)).toEqual(violations)
  })
})

describe('the clock skew', () => {
  const backwards = [created({ at: 10_000 }), { ...started(1), at: 9_000 }]

  test('is a second by default', () => {
    expect(check(backwards)).toEqual([])
  })
  test('may be 0', () => {
    expect(check(backwards, 0)).toEqual(['TaskStarted (version 2) happened 1000 ms before an event that precedes it'])
  })
  test('does not add up from event to event', () => {
    const creeping: readonly EventDraft[] = [created({ at: 10_000 }), { ...started(1), at: 9_500 }, { ...released(1), at: 8_900 }]
    expect(check(creeping)).toEqual(['TaskReleased (version 3) happened 1100 ms before an event that precedes it'])
  })
})

test('every violation of a history is reported', () => {
  const drafts: readonly EventDraft[] = [started(2), { ...completed, taskId: 'x' as TaskId, version: 9, eventId: 'event-1', at: 0 }]
  expect(check(drafts)).toHaveLength(7)
})
