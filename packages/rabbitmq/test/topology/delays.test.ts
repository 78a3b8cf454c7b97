import { expect, test } from 'vitest'
import { roundedDelayMs } from '../../src/topology/delays.ts'

test.each([
  [1, 10],
  [10, 10],
  [100, 100],
  [101, 150],
  [300, 300],
  [701, 1_000],
  [60_000, 70_000],
  [3_000_000_000, 2_000_000_000],
])('a delay of %d ms is rounded to %d ms', (asked, given) => {
  expect(roundedDelayMs(asked)).toBe(given)
})

test('a rounded delay is never shorter and at most two thirds longer, and there are few', () => {
  const seen = new Set<number>()
  for (let asked = 20; asked < 1_000_000; asked = Math.ceil(asked * 1.01)) {
    const given = roundedDelayMs(asked)
    expect(given).toBeGreaterThanOrEqual(asked)
    expect(given).toBeLessThanOrEqual(Math.ceil((asked * 5) / 3))
    seen.add(given)
  }
  expect(seen.size).toBeLessThan(35)
})
