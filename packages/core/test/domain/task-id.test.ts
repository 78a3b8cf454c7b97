import { v4, v5, v7 } from 'uuid'
import { describe, expect, test } from 'vitest'
import type { TaskId } from '../../src/domain/task-id.ts'
import { cohortOf, isTaskId } from '../../src/domain/task-id.ts'

describe('a task id', () => {
  test.each([v4(), v5('key', v4()), v7()])('may be %s', (id) => {
    expect(isTaskId(id)).toBe(true)
  })

  test.each([
    ['the empty text', ''],
    ['a word', 'inbox'],
    ['upper case', v7().toUpperCase()],
    ['braces', `{${v7()}}`],
    ['no hyphens', v7().replaceAll('-', '')],
    ['one digit too few', v7().slice(0, -1)],
    ['one digit too many', `${v7()}0`],
    ['a line end', `${v7()}\n`],
    ['an impossible version', '018cc251-f400-0000-8000-000000000000'],
    ['an impossible variant', '018cc251-f400-7000-c000-000000000000'],
    ['a number', 7],
    ['nothing', undefined],
    ['null', null],
    ['an object', { toString: () => v7() }],
  ])('may not be %s', (_what, value) => {
    expect(isTaskId(value)).toBe(false)
  })
})

test('a cohort is all of the id but the last 16 bits', () => {
  const [a, b, c] = [
    '018cc251-f400-7000-8000-00000000000a',
    '018cc251-f400-7000-8000-00000000ffff',
    '018cc251-f400-7000-8000-000000010000',
  ] as TaskId[]
  expect(cohortOf(a as TaskId)).toBe(cohortOf(b as TaskId))
  expect(cohortOf(a as TaskId)).not.toBe(cohortOf(c as TaskId))
})
