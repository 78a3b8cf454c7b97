import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Crashes } from '../../src/domain/crashes.ts'
import type { RetryPolicy } from '../../src/domain/retry-policy.ts'
import { defaultRetryPolicy, retryAfterCrash, retryAfterFailure } from '../../src/domain/retry-policy.ts'
import { random, retryPolicy } from './arbitraries.ts'

const policy: RetryPolicy = { maxAttempts: 10, maxCrashes: 10, backoff: { initialMs: 100, factor: 3, maxMs: 2_000, jitter: 0 } }
const at = 1_000_000

/** The delays after the first failure, the second, and so on. */
const delays = (policy: RetryPolicy, count: number): readonly (number | undefined)[] =>
  Array.from({ length: count }, (_, index) => {
    const retryAt = retryAfterFailure(policy, index + 1, at, 0.5)
    return retryAt === undefined ? undefined : retryAt - at
  })

describe('after a failure', () => {
  test('a task is not retried by default', () => {
    expect(retryAfterFailure(defaultRetryPolicy, 1, at, 0.5)).toBeUndefined()
  })
  test('delays grow by the factor, up to the maximum', () => {
    expect(delays(policy, 5)).toEqual([100, 300, 900, 2_000, 2_000])
  })
  test('a factor of 1 keeps the delay', () => {
    expect(delays({ ...policy, backoff: { ...policy.backoff, factor: 1 } }, 3)).toEqual([100, 100, 100])
  })
  test('no delay stays no delay, however many attempts there were', () => {
    const atOnce = { ...policy, maxAttempts: 5_000, backoff: { ...policy.backoff, initialMs: 0 } }
    expect(retryAfterFailure(atOnce, 4_000, at, 0.5)).toBe(at)
  })
  test('attempts are used up', () => {
    expect(delays({ ...policy, maxAttempts: 3 }, 4)).toEqual([100, 300, undefined, undefined])
  })
  test('the random number moves a delay by at most its jitter, and the time is a whole number', () => {
    fc.assert(
      fc.property(retryPolicy, fc.integer({ min: 1, max: 10_000 }), random, (policy, failures, random) => {
        const retryAt = retryAfterFailure({ ...policy, maxAttempts: 20_000 }, failures, at, random)
        const { initialMs, factor, maxMs, jitter } = policy.backoff
        const plain = initialMs === 0 ? 0 : Math.min(maxMs, initialMs * factor ** (failures - 1))
        expect(Number.isInteger(retryAt)).toBe(true)
        expect(retryAt).toBeGreaterThanOrEqual(at + Math.floor(plain * (1 - jitter)))
        expect(retryAt).toBeLessThanOrEqual(at + Math.ceil(plain * (1 + jitter)))
      }),
    )
  })
})

describe('after a crash', () => {
  const inARow = (crashes: number): Crashes => ({ all: crashes, inARow: crashes })

  test('three are survived by default', () => {
    const repeated = [1, 2, 3, 4].map((crashes) => retryAfterCrash(defaultRetryPolicy, inARow(crashes), at, 0.5) !== undefined)
    expect(repeated).toEqual([true, true, true, false])
  })
  test('the first is without delay, the others wait as after failures', () => {
    expect([1, 2, 3].map((crashes) => retryAfterCrash(policy, inARow(crashes), at, 0.5))).toEqual([at, at + 100, at + 300])
  })
  test('none is survived if the policy allows none', () => {
    expect(retryAfterCrash({ ...policy, maxCrashes: 0 }, inARow(1), at, 0.5)).toBeUndefined()
  })
})
