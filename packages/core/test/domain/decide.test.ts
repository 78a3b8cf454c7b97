import { describe, test } from 'vitest'
import type { RetryPolicy } from '../../src/domain/retry-policy.ts'
import { defaultRetryPolicy } from '../../src/domain/retry-policy.ts'
import type { CommandDraft, EventDraft } from '../../src/testing/index.ts'
import { given } from '../../src/testing/index.ts'
import { boom, cancelling, cancelRequested, created, finals, inProgress, made, nothing, otherTask, started, waiting } from './stories.ts'

// One test for each cell of the table of commands and statuses, and for what the cells say beside.

const progress = { attempt: 1, sequence: 7, at: 1_704_067_205_000, value: { done: 3 } }

/** Exact delays: chance has no say. */
const exactly = { initialMs: 1_000, factor: 2, maxMs: 5_000, jitter: 0 }
const policy = (more: Partial<RetryPolicy>): RetryPolicy => ({ ...defaultRetryPolicy, backoff: exactly, ...more })

describe('CreateTask', () => {
  const create = { type: 'CreateTask', ...made } satisfies CommandDraft

  test('given no task, it is created', () => {
    given(nothing)
      .when(create)
      .then([{ type: 'TaskCreated', ...made }])
  })
  test('given a waiting task, it exists already', () => {
    given(waiting).when(create).then('alreadyExists')
  })
  test('given a task in progress, it exists already', () => {
    given(inProgress).when(create).then('alreadyExists')
  })
  test('given a task with its cancellation requested, it exists already', () => {
    given(cancelling).when(create).then('alreadyExists')
  })
  test.each(finals)('given a %s task, it exists already', (_status, history) => {
    given(history).when(create).then('alreadyExists')
  })
  test('the event has every property of the command', () => {
    const more = { timeoutMs: 5_000, notBefore: 1_704_100_000_000, labels: ['a', 'b'], idempotencyKey: 'key', retryOf: otherTask }
    given(nothing)
      .when({ ...create, ...more })
      .then([created(more)])
  })
})

describe('StartTask', () => {
  const start = { type: 'StartTask' } satisfies CommandDraft

  test('given no task, it is unknown', () => {
    given(nothing).when(start).then('unknownTask')
  })
  test('given a waiting task, it is started', () => {
    given(waiting)
      .when(start)
      .then([started(1)])
  })
  test('given a task in progress, it is started already', () => {
    given(inProgress).when(start).then('alreadyStarted')
  })
  test('given a task with its cancellation requested, it is started already', () => {
    given(cancelling).when(start).then('alreadyStarted')
  })
  test.each(finals)('given a %s task, it is finished', (_status, history) => {
    given(history).when(start).then('finished')
  })

  describe('before its time', () => {
    const at = 1_704_100_000_000

    test('given a task with a notBefore, it is not due before it', () => {
      given([created({ notBefore: at })])
        .when({ ...start, at: at - 1 })
        .then('notDue')
    })
    test('given a task with a notBefore, it is started at exactly that time', () => {
      given([created({ notBefore: at })])
        .when({ ...start, at })
        .then([started(1)])
    })
    test('given a failed attempt that will be retried, it is not due before the retry', () => {
      const failed: EventDraft = { type: 'TaskFailed', attempt: 1, error: boom, retryAt: at }
      given([...inProgress, failed])
        .when({ ...start, at: at - 1 })
        .then('notDue')
      given([...inProgress, failed])
        .when({ ...start, at })
        .then([started(2)])
    })
    test('given a dead attempt that will be retried, it is not due before the retry', () => {
      const died: EventDraft = { type: 'TaskDied', attempt: 1, diedOn: 'node-a', retryAt: at }
      given([...inProgress, died])
        .when({ ...start, at: at - 1 })
        .then('notDue')
      given([...inProgress, died])
        .when({ ...start, at })
        .then([started(2)])
    })
    test('given a message of its version, it is due: the sender has waited by its own clock', () => {
      given([created({ notBefore: at })])
        .when({ ...start, at: at - 1, dueVersion: 1 })
        .then([started(1)])
    })
    test('given a message of an older version, it is not due', () => {
      const failed: EventDraft = { type: 'TaskFailed', attempt: 1, error: boom, retryAt: at }
      given([...inProgress, failed])
        .when({ ...start, at: at - 1, dueVersion: inProgress.length })
        .then('notDue')
    })
    test('given a due time of a clock that is behind, that clock says whether it is due', () => {
      given([created({ notBefore: at })])
        .when({ ...start, at: at + 60_000, dueBy: at - 1 })
        .then('notDue')
      given([created({ notBefore: at })])
        .when({ ...start, at: at - 60_000, dueBy: at })
        .then([started(1)])
    })
  })

  describe('by a clock that is behind', () => {
    const at = 1_704_000_000_000
    test('given later events, its event has the time of the latest, and its delay counts from its own time', () => {
      const retry = { maxAttempts: 2, maxCrashes: 1, backoff: { initialMs: 500, factor: 1, maxMs: 500, jitter: 0 } }
      const latest = 1_704_200_000_000
      given([created({ retry }), { ...started(1), at: latest }])
        .when({ type: 'FailTask', attempt: 1, error: boom, retryable: true, random: 0, at })
        .then([{ type: 'TaskFailed', attempt: 1, error: boom, retryAt: at + 500, at: latest }])
      given([created({ retry }), { ...started(1), at: latest }])
        .when({ type: 'DeclareDead', attempt: 1, diedOn: 'node-a', random: 0, at })
        .then([{ type: 'TaskDied', attempt: 1, diedOn: 'node-a', retryAt: at, at: latest }])
    })
  })

  describe('with a fencing token', () => {
    const createdAt = 1_704_067_200_000
    const ran: readonly EventDraft[] = [
      created({ at: createdAt }),
      { ...started(1), fence: createdAt + 50 },
      { type: 'TaskReleased', attempt: 1 },
    ]

    test('that the claim asks for', () => {
      given(ran)
        .when({ ...start, fence: createdAt + 90 })
        .then([{ ...started(2), fence: createdAt + 90 }])
    })
    test('that is the time of the claim by default', () => {
      given(ran)
        .when({ ...start, at: createdAt + 300_000.5 })
        .then([{ ...started(2), fence: createdAt + 300_001 }])
    })
    test('that is more than the latest, also if the claim asks for less', () => {
      given(ran)
        .when({ ...start, fence: createdAt + 50 })
        .then([{ ...started(2), fence: createdAt + 51 }])
    })
    test('that is more than the time of the creation: the clock of the claim may be behind', () => {
      given([created({ at: createdAt })])
        .when({ ...start, fence: createdAt - 5_000 })
        .then([{ ...started(1), fence: createdAt + 1 }])
    })
    test('that follows from the times of a history without tokens', () => {
      given([created({ at: createdAt }), { ...started(1), at: createdAt + 20 }, { type: 'TaskReleased', attempt: 1 }])
        .when({ ...start, fence: createdAt })
        .then([{ ...started(2), fence: createdAt + 21 }])
    })
  })

  test('given a released attempt, it is started at once, as the next attempt', () => {
    given([...inProgress, { type: 'TaskReleased', attempt: 1 }])
      .when(start)
      .then([started(2)])
  })
})

describe('CompleteTask', () => {
  const complete = { type: 'CompleteTask', attempt: 1 } satisfies CommandDraft

  test('given no task, it is unknown', () => {
    given(nothing).when(complete).then('unknownTask')
  })
  test('given a waiting task, it is not started', () => {
    given(waiting).when(complete).then('notStarted')
  })
  test('given a task in progress, it is completed', () => {
    given(inProgress)
      .when(complete)
      .then([{ type: 'TaskCompleted', attempt: 1 }])
  })
  test('given a task with its cancellation requested, it is completed: the work was done before the request arrived', () => {
    given(cancelling)
      .when(complete)
      .then([{ type: 'TaskCompleted', attempt: 1 }])
  })
  test.each(finals)('given a %s task, it is finished', (_status, history) => {
    given(history).when(complete).then('finished')
  })
  test('the event has result and progress', () => {
    given(inProgress)
      .when({ type: 'CompleteTask', attempt: 1, result: { messages: 12 }, progress })
      .then([{ type: 'TaskCompleted', attempt: 1, result: { messages: 12 }, progress }])
  })
  test('a result of null is a result', () => {
    given(inProgress)
      .when({ type: 'CompleteTask', attempt: 1, result: null })
      .then([{ type: 'TaskCompleted', attempt: 1, result: null }])
  })
})

describe('FailTask', () => {
  const fail = { type: 'FailTask', attempt: 1, error: boom, retryable: true, random: 0.5 } satisfies CommandDraft

  test('given no task, it is unknown', () => {
    given(nothing).when(fail).then('unknownTask')
  })
  test('given a waiting task, it is not started', () => {
    given(waiting).when(fail).then('notStarted')
  })
  test('given a task in progress, it has failed', () => {
    given(inProgress)
      .when(fail)
      .then([{ type: 'TaskFailed', attempt: 1, error: boom }])
  })
  test('given a task with its cancellation requested, it has failed, and is never retried', () => {
    given([created({ retry: policy({ maxAttempts: 5 }) }), started(1), cancelRequested])
      .when(fail)
      .then([{ type: 'TaskFailed', attempt: 1, error: boom }])
  })
  test.each(finals)('given a %s task, it is finished', (_status, history) => {
    given(history).when(fail).then('finished')
  })
  test('the event has the progress', () => {
    given(inProgress)
      .when({ ...fail, progress })
      .then([{ type: 'TaskFailed', attempt: 1, error: boom, progress }])
  })

  describe('when attempts are left', () => {
    const three = created({ retry: policy({ maxAttempts: 3 }) })
    const at = 1_704_100_000_000
    const failed = (attempt: number, retryAt?: number): EventDraft => ({
      type: 'TaskFailed',
      attempt,
      error: boom,
      ...(retryAt === undefined ? {} : { retryAt }),
    })

    test('given the first attempt, it is retried after the first delay', () => {
      given([three, started(1)])
        .when({ ...fail, at })
        .then([failed(1, at + 1_000)])
    })
    test('given the second attempt, it is retried after twice that delay', () => {
      given([three, started(1), failed(1, at), started(2)])
        .when({ ...fail, attempt: 2, at })
        .then([failed(2, at + 2_000)])
    })
    test('given the last attempt, the failure is final', () => {
      given([three, started(1), failed(1, at), started(2), failed(2, at), started(3)])
        .when({ ...fail, attempt: 3, at })
        .then([failed(3)])
    })
    test('given an error that is not retryable, the failure is final', () => {
      given([three, started(1)])
        .when({ ...fail, retryable: false })
        .then([failed(1)])
    })
    test('released and dead attempts do not count as failures', () => {
      given([
        created({ retry: policy({ maxAttempts: 2 }) }),
        started(1),
        { type: 'TaskReleased', attempt: 1 },
        started(2),
        { type: 'TaskDied', attempt: 2, diedOn: 'node-a', retryAt: 0 },
        started(3),
      ])
        .when({ ...fail, attempt: 3, at })
        .then([failed(3, at + 1_000)])
    })
    test('the random number lengthens and shortens the delay by the jitter', () => {
      const retry = policy({ maxAttempts: 2, backoff: { ...exactly, jitter: 0.2 } })
      given([created({ retry }), started(1)])
        .when({ ...fail, at, random: 0 })
        .then([failed(1, at + 800)])
      given([created({ retry }), started(1)])
        .when({ ...fail, at, random: 0.75 })
        .then([failed(1, at + 1_100)])
    })
  })
})

describe('RequestCancel', () => {
  const request = { type: 'RequestCancel', by: 'ann', reason: 'no longer needed' } satisfies CommandDraft
  const requested: EventDraft = { type: 'TaskCancelRequested', by: 'ann', reason: 'no longer needed' }

  test('given no task, it is unknown', () => {
    given(nothing).when(request).then('unknownTask')
  })
  test('given a waiting task, it is cancelled at once', () => {
    given(waiting)
      .when(request)
      .then([requested, { type: 'TaskCancelled' }])
  })
  test('given a task in progress, the request is recorded', () => {
    given(inProgress).when(request).then([requested])
  })
  test('given a task with its cancellation requested, the command is accepted without an event', () => {
    given(cancelling).when(request).then([])
  })
  test.each(finals)('given a %s task, it is finished', (_status, history) => {
    given(history).when(request).then('finished')
  })
  test('it needs no reason', () => {
    given(inProgress)
      .when({ type: 'RequestCancel', by: 'ann' })
      .then([{ type: 'TaskCancelRequested', by: 'ann' }])
  })
  test('given a task that is not due yet, it is cancelled at once', () => {
    given([created({ notBefore: 1_804_067_200_000 })])
      .when(request)
      .then([requested, { type: 'TaskCancelled' }])
  })
  test('given a task between two attempts, it is cancelled at once', () => {
    given([...inProgress, { type: 'TaskFailed', attempt: 1, error: boom, retryAt: 1_804_067_200_000 }])
      .when(request)
      .then([requested, { type: 'TaskCancelled' }])
  })
})

describe('CancelTask', () => {
  const cancel = { type: 'CancelTask', attempt: 1 } satisfies CommandDraft

  test('given no task, it is unknown', () => {
    given(nothing).when(cancel).then('unknownTask')
  })
  test('given a waiting task, the cancellation was not requested', () => {
    given(waiting).when(cancel).then('notRequested')
  })
  test('given a task in progress, the cancellation was not requested', () => {
    given(inProgress).when(cancel).then('notRequested')
  })
  test('given a task with its cancellation requested, it is cancelled', () => {
    given(cancelling)
      .when(cancel)
      .then([{ type: 'TaskCancelled', attempt: 1 }])
  })
  test.each(finals)('given a %s task, it is finished', (_status, history) => {
    given(history).when(cancel).then('finished')
  })
  test('the event has abandonment, error and progress', () => {
    given(cancelling)
      .when({ type: 'CancelTask', attempt: 1, abandoned: true, error: boom, progress })
      .then([{ type: 'TaskCancelled', attempt: 1, abandoned: true, error: boom, progress }])
  })
})

describe('ReleaseTask', () => {
  const release = { type: 'ReleaseTask', attempt: 1 } satisfies CommandDraft

  test('given no task, it is unknown', () => {
    given(nothing).when(release).then('unknownTask')
  })
  test('given a waiting task, it is not started', () => {
    given(waiting).when(release).then('notStarted')
  })
  test('given a task in progress, it is released', () => {
    given(inProgress)
      .when(release)
      .then([{ type: 'TaskReleased', attempt: 1 }])
  })
  test('given a task with its cancellation requested, it is cancelled', () => {
    given(cancelling)
      .when(release)
      .then([{ type: 'TaskCancelled', attempt: 1 }])
  })
  test.each(finals)('given a %s task, it is finished', (_status, history) => {
    given(history).when(release).then('finished')
  })

  describe('because the node stood still and lost its lease', () => {
    const lost = { ...release, reason: 'leaseLost', progress } satisfies CommandDraft
    const once = created({ retry: policy({ maxCrashes: 1 }) })
    const released: EventDraft = { type: 'TaskReleased', attempt: 1, reason: 'leaseLost', progress }

    test('given a task in progress, it is released, with reason and progress', () => {
      given(inProgress).when(lost).then([released])
    })
    test('given a task with its cancellation requested, it is cancelled', () => {
      given(cancelling)
        .when(lost)
        .then([{ type: 'TaskCancelled', attempt: 1 }])
    })
    test('given one more than the crashes that the policy survives, it died on the node that releases it', () => {
      given([once, started(1), released, started(2)])
        .when({ ...lost, attempt: 2 })
        .then([{ type: 'TaskDied', attempt: 2, reason: 'leaseLost', progress, diedOn: 'node-b' }])
    })
    test('given a crash before, both count', () => {
      given([once, started(1), { type: 'TaskDied', attempt: 1, diedOn: 'node-a', retryAt: 0 }, started(2)])
        .when({ ...release, attempt: 2, reason: 'leaseLost' })
        .then([{ type: 'TaskDied', attempt: 2, reason: 'leaseLost', diedOn: 'node-b' }])
    })
  })
})

describe('DeclareDead', () => {
  const at = 1_704_100_000_000
  const declareDead = { type: 'DeclareDead', attempt: 1, diedOn: 'node-a', random: 0.5, at } satisfies CommandDraft
  const died = (attempt: number, retryAt?: number): EventDraft => ({
    type: 'TaskDied',
    attempt,
    diedOn: 'node-a',
    ...(retryAt === undefined ? {} : { retryAt }),
  })

  test('given no task, it is unknown', () => {
    given(nothing).when(declareDead).then('unknownTask')
  })
  test('given a waiting task, it is not started', () => {
    given(waiting).when(declareDead).then('notStarted')
  })
  test('given a task in progress, it died, and is retried at once after the first crash', () => {
    given(inProgress)
      .when(declareDead)
      .then([died(1, at)])
  })
  test('given a task with its cancellation requested, it died and is cancelled without another run', () => {
    given(cancelling)
      .when(declareDead)
      .then([died(1, at), { type: 'TaskCancelled', attempt: 1 }])
  })
  test.each(finals)('given a %s task, it is finished', (_status, history) => {
    given(history).when(declareDead).then('finished')
  })
  test('given a policy that survives no crash, the death is final', () => {
    given([created({ retry: policy({ maxCrashes: 0 }) }), started(1)])
      .when(declareDead)
      .then([died(1)])
  })
  test('given a policy that survives no crash and a requested cancellation, it is cancelled', () => {
    given([created({ retry: policy({ maxCrashes: 0 }) }), started(1), cancelRequested])
      .when(declareDead)
      .then([died(1, at), { type: 'TaskCancelled', attempt: 1 }])
  })
  test('given a second crash, it is retried after a delay', () => {
    given([created({ retry: policy({ maxCrashes: 2 }) }), started(1), died(1, at), started(2)])
      .when({ ...declareDead, attempt: 2 })
      .then([died(2, at + 1_000)])
  })
  test('given one crash more than the policy survives, the death is final', () => {
    given([created({ retry: policy({ maxCrashes: 1 }) }), started(1), died(1, at), started(2)])
      .when({ ...declareDead, attempt: 2 })
      .then([died(2)])
  })
  test('the event has the progress', () => {
    given(inProgress)
      .when({ ...declareDead, progress })
      .then([{ type: 'TaskDied', attempt: 1, diedOn: 'node-a', progress, retryAt: at }])
  })

  describe('when the task reports progress', () => {
    const once = created({ retry: policy({ maxCrashes: 1 }) })
    const report = (attempt: number, done: number) => ({ attempt, sequence: 1, at, value: { done, of: 9 } })
    const crash = (attempt: number, done: number): EventDraft => ({ ...died(attempt, at), progress: report(attempt, done) }) as EventDraft

    test('given a crash before, and a new value since, it is retried at once: a new row of crashes begins', () => {
      given([once, started(1), crash(1, 1), started(2)])
        .when({ ...declareDead, attempt: 2, progress: report(2, 2) })
        .then([crash(2, 2)])
    })
    test('given a crash before, and the same value since, the death is final', () => {
      given([once, started(1), crash(1, 1), started(2)])
        .when({ ...declareDead, attempt: 2, progress: { ...report(2, 1), value: { of: 9, done: 1 } } })
        .then([{ ...died(2), progress: { ...report(2, 1), value: { of: 9, done: 1 } } } as EventDraft])
    })
    test('given a crash before, and no report since, the death is final', () => {
      given([once, started(1), crash(1, 1), started(2)])
        .when({ ...declareDead, attempt: 2, progress: report(1, 1) })
        .then([{ ...died(2), progress: report(1, 1) } as EventDraft])
    })
    test('given a failure with a new value since the crash, it is retried', () => {
      const failed: EventDraft = { type: 'TaskFailed', attempt: 2, error: boom, retryAt: at, progress: report(2, 2) }
      given([created({ retry: policy({ maxAttempts: 9, maxCrashes: 1 }) }), started(1), crash(1, 1), started(2), failed, started(3)])
        .when({ ...declareDead, attempt: 3 })
        .then([died(3, at)])
    })
    test('given ten times the crashes that the policy survives, the death is final, whatever was reported', () => {
      const lives = Array.from({ length: 10 }, (_, index) => [started(index + 1), crash(index + 1, index)]).flat()
      given([once, ...lives, started(11)])
        .when({ ...declareDead, attempt: 11, progress: report(11, 99) })
        .then([{ ...died(11), progress: report(11, 99) } as EventDraft])
    })
    test('given a policy that survives no crash, the death is final', () => {
      given([created({ retry: policy({ maxCrashes: 0 }) }), started(1)])
        .when({ ...declareDead, progress: report(1, 1) })
        .then([{ ...died(1), progress: report(1, 1) } as EventDraft])
    })
  })

  test('failures do not count as crashes', () => {
    const failed: EventDraft = { type: 'TaskFailed', attempt: 1, error: boom, retryAt: at }
    given([created({ retry: policy({ maxAttempts: 9, maxCrashes: 1 }) }), started(1), failed, started(2)])
      .when({ ...declareDead, attempt: 2 })
      .then([died(2, at)])
  })
})

describe('a command of an attempt that is not the current one', () => {
  // The node was thought dead, and the task runs elsewhere.
  const runsAgain: readonly EventDraft[] = [...inProgress, { type: 'TaskDied', attempt: 1, diedOn: 'node-a', retryAt: 0 }, started(2)]
  const zombie: readonly (readonly [string, CommandDraft])[] = [
    ['CompleteTask', { type: 'CompleteTask', attempt: 1 }],
    ['FailTask', { type: 'FailTask', attempt: 1, error: boom, retryable: true, random: 0 }],
    ['CancelTask', { type: 'CancelTask', attempt: 1 }],
    ['ReleaseTask', { type: 'ReleaseTask', attempt: 1 }],
    ['DeclareDead', { type: 'DeclareDead', attempt: 1, diedOn: 'node-a', random: 0 }],
  ]

  test.each(zombie)('%s is stale in a task in progress', (_type, command) => {
    given(runsAgain).when(command).then('staleAttempt')
  })
  test.each(zombie)('%s is stale in a task with its cancellation requested', (_type, command) => {
    given([...runsAgain, cancelRequested])
      .when(command)
      .then('staleAttempt')
  })
  test.each(zombie)('%s is stale for an attempt that is still to come', (_type, command) => {
    given(runsAgain)
      .when({ ...command, attempt: 3 } as CommandDraft)
      .then('staleAttempt')
  })
})

test('a cancellation against a completion: the second command is refused', () => {
  given(cancelling)
    .when({ type: 'CompleteTask', attempt: 1 })
    .then([{ type: 'TaskCompleted', attempt: 1 }])
  given([...cancelling, { type: 'TaskCompleted', attempt: 1 }])
    .when({ type: 'CancelTask', attempt: 1 })
    .then('finished')
  given([...cancelling, { type: 'TaskCancelled', attempt: 1 }])
    .when({ type: 'CompleteTask', attempt: 1 })
    .then('finished')
})
