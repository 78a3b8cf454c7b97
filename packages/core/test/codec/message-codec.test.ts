import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeMessage, decodeNotice, encodeMessage, encodeNotice } from '../../src/codec/index.ts'
import { statusAfter } from '../../src/domain/task-event.ts'
import type { TaskCreated } from '../../src/domain/task-event.ts'
import { event, taskId, time } from '../domain/arbitraries.ts'

const id = '018cc251-f400-7000-8000-000000000000'
const message = { v: 1, taskId: id, version: 1, sentAt: 1_704_067_200_000 }
const notice = { v: 1, taskId: id, version: 2, type: 'TaskStarted', status: 'inProgress', node: 'node-a' }
const created = event.filter((event): event is TaskCreated => event.type === 'TaskCreated')

const [firstEvent] = fc.sample(created, { numRuns: 1, seed: 1 }).map((event) => ({ ...event, taskId: id, version: 1 }))

const malformed = expect.objectContaining({ code: 'MALFORMED' }) as Error

describe('a message of a work queue', () => {
  test('is read as it was written, with and without what it may lack', () => {
    fc.assert(
      fc.property(
        taskId,
        fc.nat(),
        time,
        fc.record({ created, sentBy: fc.string(), dueInMs: fc.nat() }, { requiredKeys: [] }),
        (taskId, version, sentAt, { created, ...more }) => {
          const message = { taskId, version, sentAt, ...more, ...(created ? { created: { ...created, taskId, version: 1 } } : {}) }
          expect(decodeMessage(encodeMessage(message))).toStrictEqual(message)
        },
      ),
    )
  })
  test('drops unknown fields', () => {
    const { v: _v, ...known } = message
    expect(decodeMessage(JSON.stringify({ ...message, v: 9, priority: 3 }))).toStrictEqual(known)
  })
  test.each([
    ['no JSON', '\u0000'],
    ['no codec version', JSON.stringify({ ...message, v: undefined })],
    ['no id', JSON.stringify({ ...message, taskId: 'inbox' })],
    ['no time', JSON.stringify({ ...message, sentAt: undefined })],
    ['a version that no history reaches', JSON.stringify({ ...message, version: 2 ** 53 })],
    ['a time that no clock shows', JSON.stringify({ ...message, sentAt: 1e300 })],
    ['a time beyond all numbers', JSON.stringify(message).replace('1704067200000', '1e999')],
    ['a first event that is not an event', JSON.stringify({ ...message, created: 7 })],
    [
      'a first event that is another',
      JSON.stringify({
        ...message,
        created: { v: 1, type: 'TaskStarted', taskId: id, version: 1, eventId: 'e', at: 1, node: 'n', attempt: 1 },
      }),
    ],
    ['the first event of another task', JSON.stringify({ ...message, created: { ...firstEvent, taskId: id.replace('8000', '8001') } })],
    ['a first event that is not the first', JSON.stringify({ ...message, created: { ...firstEvent, version: 2 } })],
  ])('is malformed: %s', (_what, text) => {
    expect(() => decodeMessage(text)).toThrow(malformed)
  })
  test('whose first event a newer release wrote is an error that names the type', () => {
    const text = JSON.stringify({ ...message, created: { type: 'TaskImagined', taskId: id, version: 1 } })
    expect(() => decodeMessage(text)).toThrow(expect.objectContaining({ code: 'UNKNOWN_EVENT_TYPE', eventType: 'TaskImagined' }))
  })
})

describe('a notice of an event bus', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(event, (event) => {
        const { taskId, version, type, node } = event
        const notice = { taskId, version, type, status: statusAfter(event), node }
        expect(decodeNotice(encodeNotice(notice))).toStrictEqual(notice)
      }),
    )
  })
  test('may name an event that this release does not know: it is only a hint', () => {
    expect(decodeNotice(JSON.stringify({ ...notice, type: 'TaskPaused' })).type).toBe('TaskPaused')
  })
  test.each([
    ['no JSON', 'hello'],
    ['no id', JSON.stringify({ ...notice, taskId: undefined })],
    ['an unknown status', JSON.stringify({ ...notice, status: 'paused' })],
    ['no node', JSON.stringify({ ...notice, node: undefined })],
  ])('is malformed: %s', (_what, text) => {
    expect(() => decodeNotice(text)).toThrow(malformed)
  })
})

test.each<[string, () => string, string]>([
  ['a message', () => encodeMessage({ taskId: 'ORDER-17', version: 1, sentAt: 1 } as never), 'message: the field "taskId"'],
  [
    'a message with a task',
    () => encodeMessage({ created: { type: 'TaskCreated' } } as never),
    'TaskCreated: the field "taskId" is missing',
  ],
  ['a notice', () => encodeNotice({ status: 'done' } as never), 'notice: the field "taskId" is missing'],
])('%s that could not be read back is not written', (_what, write, message) => {
  expect(write).toThrow(expect.objectContaining({ code: 'MALFORMED', message: expect.stringContaining(message) as string }) as Error)
})
