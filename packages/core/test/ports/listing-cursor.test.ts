import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ListingPosition, TaskFilter, TaskId } from '../../src/ports/index.ts'
import { compareListed, decodeCursor, encodeCursor, taskStatuses } from '../../src/ports/index.ts'
import { taskId, text, time } from '../domain/arbitraries.ts'

const position: fc.Arbitrary<ListingPosition> = fc.record({ createdAt: time, taskId })
const filter = fc.record(
  { statuses: fc.subarray([...taskStatuses], { minLength: 1 }), type: text, node: text, label: text, since: time, until: time },
  { requiredKeys: [] },
) as fc.Arbitrary<TaskFilter>

const at: ListingPosition = { createdAt: 1_704_067_200_000, taskId: '018cc251-f400-7000-8000-000000000000' as TaskId }
const invalid = expect.objectContaining({ code: 'INVALID_CURSOR' }) as Error

describe('a cursor', () => {
  test('leads back to the end of its page', () => {
    fc.assert(
      fc.property(position, filter, (position, filter) => {
        expect(decodeCursor(encodeCursor(position, filter), filter)).toEqual(position)
      }),
    )
  })
  test('belongs to its filter', () => {
    fc.assert(
      fc.property(position, filter, filter, (position, filter, other) => {
        fc.pre(JSON.stringify(canonical(filter)) !== JSON.stringify(canonical(other)))
        expect(() => decodeCursor(encodeCursor(position, filter), other)).toThrow(invalid)
      }),
    )
  })
  test.each<TaskFilter>([{ statuses: ['died'] }, { type: 'b' }, { node: 'b' }, { label: 'b' }, { since: 2 }, { until: 2 }, {}])(
    'belongs to every part of its filter: %o',
    (change) => {
      const filter: TaskFilter = { statuses: ['failed'], type: 'a', node: 'a', label: 'a', since: 1, until: 1 }
      const other = Object.keys(change).length === 0 ? {} : { ...filter, ...change }
      expect(() => decodeCursor(encodeCursor(at, filter), other)).toThrow(invalid)
    },
  )
  test('does not depend on the order of the properties of a filter', () => {
    const cursor = encodeCursor(at, { type: 'reindex', statuses: ['failed', 'died'] })
    expect(decodeCursor(cursor, { statuses: ['died', 'failed'], type: 'reindex' })).toEqual(at)
  })
  test('of another filter is refused with that reason', () => {
    expect(() => decodeCursor(encodeCursor(at, { type: 'a' }), { type: 'b' })).toThrow('another filter')
  })
  test('that is malformed is refused with another reason than a cursor of another filter', () => {
    expect(() => decodeCursor('nonsense', {})).toThrow('the cursor is malformed')
  })
  test('may be any text, and is then refused', () => {
    const encoded = fc.oneof(
      fc.string(),
      fc.base64String(),
      fc.json().map((json) => btoa(encodeURIComponent(json))),
      fc.constant(''),
    )
    fc.assert(
      fc.property(encoded, (cursor) => {
        expect(() => decodeCursor(cursor, {})).toThrow(invalid)
      }),
    )
  })
  test.each([
    ['of another release', ['2', at.createdAt, at.taskId, '']],
    ['with a time that is not a number', ['1', 'now', at.taskId, '']],
    ['with an id that is not a task id', ['1', at.createdAt, 'inbox', '']],
    ['with too little', ['1', at.createdAt, at.taskId]],
  ])('%s is refused', (_what, parts) => {
    expect(() => decodeCursor(btoa(encodeURIComponent(JSON.stringify(parts))), {})).toThrow(invalid)
  })
})

describe('the order of a listing', () => {
  test('is the newest first, then by id', () => {
    const [a, b] = ['018cc251-f400-7000-8000-00000000000a', '018cc251-f400-7000-8000-00000000000b'] as [TaskId, TaskId]
    const rows = [
      { createdAt: 1, taskId: a },
      { createdAt: 2, taskId: a },
      { createdAt: 1, taskId: b },
      { createdAt: 3, taskId: b },
    ]
    expect(rows.toSorted(compareListed)).toEqual([rows[3], rows[1], rows[2], rows[0]])
  })
  test('is total', () => {
    fc.assert(
      fc.property(position, position, (a, b) => {
        expect(Math.sign(compareListed(a, b)) + Math.sign(compareListed(b, a))).toBe(0)
        expect(compareListed(a, a)).toBe(0)
      }),
    )
  })
})

/** A filter as one value, whatever the order of its parts. */
const canonical = ({ statuses, type, node, label, since, until }: TaskFilter): unknown => [
  statuses?.toSorted(),
  type,
  node,
  label,
  since,
  until,
]
