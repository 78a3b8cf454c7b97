import fc from 'fast-check'
import { v4, v7 } from 'uuid'
import { describe, expect, test } from 'vitest'
import type { TaskId } from '../../src/ports/index.ts'
import { shardOf } from '../../src/ports/index.ts'
import { taskId } from '../domain/arbitraries.ts'

describe('the shard of a task', () => {
  test('is in range, and always the same', () => {
    fc.assert(
      fc.property(taskId, fc.integer({ min: 1, max: 1_024 }), (taskId, of) => {
        const shard = shardOf(taskId, of)
        expect(Number.isInteger(shard) && shard >= 0 && shard < of).toBe(true)
        expect(shardOf(taskId, of)).toBe(shard)
      }),
    )
  })

  test('is the same for a whole cohort', () => {
    fc.assert(
      fc.property(taskId, fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 1, max: 1_024 }), (taskId, end, of) => {
        const other = (taskId.slice(0, -4) + end.toString(16).padStart(4, '0')) as TaskId
        expect(shardOf(other, of)).toBe(shardOf(taskId, of))
      }),
    )
  })

  test('is the same in every release and every adapter', () => {
    // Recorded: tables are sharded by it.
    const id = '018cc251-f400-7000-8000-000000000000' as TaskId
    expect([1, 2, 16, 64, 1_000].map((of) => shardOf(id, of))).toEqual([0, 1, 5, 21, 853])
  })

  test.each([
    ['drawn by chance', (): string => v4()],
    ['drawn one after the other', (): string => v7()],
  ])('spreads ids evenly: %s', (_what, draw) => {
    for (const of of [2, 3, 16]) {
      const drawn = Array.from({ length: 32_000 }, () => shardOf(draw() as TaskId, of))
      const counts = Map.groupBy(drawn, (shard) => shard)
      const even = drawn.length / of
      expect(counts.size).toBe(of)
      for (const { length: count } of counts.values()) expect(Math.abs(count - even) / even).toBeLessThan(0.15)
    }
  })
})
