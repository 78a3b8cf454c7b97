import { describe, expect, it } from 'vitest'
import { progressTimestamp, removalTimestamp, versionTimestamp } from '../../../src/listing/tables/timestamps.ts'

const createdAt = Date.UTC(2024, 1, 29, 12)

describe('the timestamp of a row', () => {
  it('is in microseconds, and later for each version', () => {
    expect(versionTimestamp(createdAt, 1)).toBe(`${createdAt}001`)
    expect(BigInt(versionTimestamp(createdAt, 1_001))).toBe(BigInt(createdAt) * 1_000n + 1_001n)
  })

  it('of a removal is that of the maximum version', () => {
    expect(BigInt(removalTimestamp(createdAt))).toBe(BigInt(versionTimestamp(createdAt, 2 ** 31 - 1)))
  })

  it('is exact until the year 2255', () => {
    const late = Date.UTC(2255, 0)
    expect(BigInt(versionTimestamp(late, 7))).toBe(BigInt(late) * 1_000n + 7n)
  })
})

describe('the timestamp of progress', () => {
  it('counts the attempt first and then the sequence', () => {
    const reports = [
      [1, 1],
      [1, 2],
      [1, 4_000_000_000],
      [2, 0],
      [3, 1],
      [2 ** 20, 1],
    ] as const
    const times = reports.map(([attempt, sequence]) => BigInt(progressTimestamp({ attempt, sequence, at: 0, value: null })))
    expect([...times].sort((a, b) => (a < b ? -1 : 1))).toEqual(times)
    expect(new Set(times).size).toBe(times.length)
  })
})
