import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeDetails, decodeNode, decodeProgress, encodeDetails, encodeNode, encodeProgress } from '../../src/codec/index.ts'
import type { TaskDetails } from '../../src/domain/task-details.ts'
import { detailsOf } from '../../src/domain/task-details.ts'
import { event, progress } from '../domain/arbitraries.ts'

const malformed = expect.objectContaining({ code: 'MALFORMED' }) as Error

/** Details with whatever fields events can give them. */
const details = fc
  .array(event, { minLength: 1, maxLength: 12 })
  .map((events) => detailsOf(events))
  .filter((details): details is TaskDetails => details !== undefined)

describe('the details of a task', () => {
  test('are read as they were written', () => {
    fc.assert(
      fc.property(details, (details) => {
        expect(decodeDetails(encodeDetails(details))).toStrictEqual(details)
      }),
    )
  })
  test('drop unknown fields', () => {
    fc.assert(
      fc.property(details, (details) => {
        expect(decodeDetails(encodeDetails({ ...details, mood: 'sad' } as TaskDetails))).toStrictEqual(details)
      }),
    )
  })
  test.each([
    ['status', 'paused'],
    ['taskId', 'x'],
    ['labels', 'a'],
    ['error', {}],
    ['createdAt', '2024'],
  ])('are malformed where %s is %j', (field, value) => {
    const [sample] = fc.sample(details, { numRuns: 1, seed: 1 })
    const text = JSON.stringify({ v: 1, ...sample, [field]: value })
    expect(() => decodeDetails(text)).toThrow(malformed)
    expect(() => decodeDetails(text)).toThrow(`"${field}"`)
  })
})

describe('progress', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(progress, (progress) => {
        expect(decodeProgress(encodeProgress(progress))).toStrictEqual(progress)
      }),
    )
  })
  test.each(['', '{}', '{"v":1,"attempt":1,"sequence":1,"at":1}', '{"v":1,"attempt":-1,"sequence":1,"at":1,"value":1}'])(
    'is malformed: %s',
    (text) => {
      expect(() => decodeProgress(text)).toThrow(malformed)
    },
  )
})

describe('a node', () => {
  const node = {
    nodeId: 'worker-1f',
    name: 'worker',
    startedAt: 1,
    renewedAt: 2,
    queues: { default: 4, mail: 1 },
    running: 3,
    delivered: { default: 17 },
  }

  test('is read as it was written', () => {
    expect(decodeNode(encodeNode(node))).toStrictEqual(node)
    expect(decodeNode(encodeNode({ ...node, queues: {}, delivered: {} }))).toStrictEqual({ ...node, queues: {}, delivered: {} })
  })
  test.each([
    ['queues', []],
    ['queues', { default: 'many' }],
    ['running', undefined],
    ['nodeId', 3],
  ])('is malformed where %s is %j', (field, value) => {
    expect(() => decodeNode(JSON.stringify({ v: 1, ...node, [field]: value }))).toThrow(malformed)
  })
})

test.each<[string, () => string, string]>([
  ['details', () => encodeDetails({ taskId: 'ORDER-17' } as never), 'details: the field "taskId" is of the wrong type'],
  [
    'a progress',
    () => encodeProgress({ attempt: 1, sequence: 1, at: Number.NaN, value: 1 }),
    'progress: the field "at" is of the wrong type',
  ],
  ['a node', () => encodeNode({ nodeId: 'n' } as never), 'node: the field "name" is missing'],
])('%s that could not be read back are not written', (_what, write, message) => {
  expect(write).toThrow(expect.objectContaining({ code: 'MALFORMED', message: expect.stringContaining(message) as string }) as Error)
})
