import { describe, expect, test } from 'vitest'
import { completeEvents, given } from '../../src/testing/given-when-then.ts'
import { inProgress, otherTask, started, waiting } from '../domain/stories.ts'

const rule = (): ReturnType<ReturnType<typeof given>['when']> => given(waiting).when({ type: 'StartTask' })

describe('a rule that holds', () => {
  test('passes for events and for refusals', () => {
    expect(() => rule().then([started(1)])).not.toThrow()
    expect(() => given(inProgress).when({ type: 'StartTask' }).then('alreadyStarted')).not.toThrow()
  })
})

describe('a rule that does not hold fails', () => {
  test('if other events result, with the first difference', () => {
    expect(() => rule().then([started(2)])).toThrow(/given TaskCreated, when StartTask: \[0\]\.attempt is 1, not 2/)
  })
  test('if fewer events result', () => {
    expect(() => rule().then([started(1), { type: 'TaskCompleted', attempt: 1 }])).toThrow('[1] is missing')
  })
  test('if more events result', () => {
    expect(() => rule().then([])).toThrow('[0] was not expected')
  })
  test('if an event has more properties than expected', () => {
    const complete = given(inProgress).when({ type: 'CompleteTask', attempt: 1, result: 3 })
    expect(() => complete.then([{ type: 'TaskCompleted', attempt: 1 }])).toThrow('[0].result was not expected: it is 3')
  })
  test('if an event has another time, node, version or id than expected', () => {
    for (const base of [{ at: 1 }, { node: 'elsewhere' }, { version: 7 }, { eventId: 'x' }, { taskId: otherTask }])
      expect(() => rule().then([{ ...started(1), ...base }])).toThrow(`[0].${Object.keys(base)[0]} is `)
  })
  test('if a refusal was not expected, or was expected', () => {
    expect(() => rule().then('notDue')).toThrow('is [{')
    expect(() =>
      given(inProgress)
        .when({ type: 'StartTask' })
        .then([started(2)]),
    ).toThrow('it is "alreadyStarted", not [{')
  })
  test('with both sides for the runner to show', () => {
    let thrown: unknown
    try {
      given([]).when({ type: 'StartTask' }).then('finished')
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject({
      actual: 'unknownTask',
      expected: 'finished',
      message: expect.stringContaining('given nothing') as string,
    })
  })
})

test('an await of an unfinished rule rejects', async () => {
  await expect(Promise.resolve(rule() as unknown)).rejects.toThrow('remove the await')
})

test('given events get versions and times by default', () => {
  const events = completeEvents([...inProgress, { type: 'TaskCompleted', attempt: 1, at: 7, node: 'n', eventId: 'e' }])
  expect(events.map(({ version, at, node, eventId }) => [version, at, node, eventId])).toEqual([
    [1, 1_704_067_200_000, 'node-a', 'event-1'],
    [2, 1_704_067_260_000, 'node-a', 'event-2'],
    [3, 7, 'n', 'e'],
  ])
})
