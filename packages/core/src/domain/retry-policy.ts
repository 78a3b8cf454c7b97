import type { Crashes } from './crashes.ts'
import { areTooMany } from './crashes.ts'

/** How long to wait before a task runs again. */
export interface RetryBackoff {
  /** The delay before the second run, in milliseconds. */
  readonly initialMs: number
  /** The factor between one delay and the next. */
  readonly factor: number
  /** The maximum delay, in milliseconds, before the jitter. */
  readonly maxMs: number
  /** The part of the delay, 0 to 1, by which a random number shortens or lengthens it, so that many tasks do not retry at one moment. */
  readonly jitter: number
}

/** When a task runs again. The policy is stored in `TaskCreated`, so that any node can apply it. */
export interface RetryPolicy {
  /** How many attempts may fail, the first one included. 1: a failure is final. */
  readonly maxAttempts: number
  /** How many crashes in a row a task survives, without progress between them. 0: the first crash is final. */
  readonly maxCrashes: number
  /** The delay between runs. */
  readonly backoff: RetryBackoff
}

/** The policy of a definition that has none: a failure is final, three crashes are survived. */
export const defaultRetryPolicy: RetryPolicy = {
  maxAttempts: 1,
  maxCrashes: 3,
  backoff: { initialMs: 1_000, factor: 2, maxMs: 60_000, jitter: 0.2 },
}

/** The delay in milliseconds after the `nth` failure (1, 2, …). `random` is in [0, 1) and comes with the command. */
const delayMs = (backoff: RetryBackoff, nth: number, random: number): number => {
  // Bounded before the product: 0 times Infinity is NaN.
  const growth = Math.min(Number.MAX_VALUE, backoff.factor ** (nth - 1))
  const plain = Math.min(backoff.maxMs, backoff.initialMs * growth)
  return Math.round(plain * (1 + backoff.jitter * (2 * random - 1)))
}

/** The longest delay that a policy allows after so many failures and crashes, in milliseconds. */
export const longestDelayMs = ({ backoff }: RetryPolicy, times: number): number => delayMs(backoff, Math.max(times, 1), 1)

/** When a task that failed for the `failures`-th time at `at` runs again; `undefined` if its attempts are used up. */
export const retryAfterFailure = (policy: RetryPolicy, failures: number, at: number, random: number): number | undefined =>
  failures < policy.maxAttempts ? at + delayMs(policy.backoff, failures, random) : undefined

/**
 * When a task runs again after its latest crash, which happened at `at`; `undefined` if that was one crash too many. There is no delay after
 * the first crash of a row: a task is seldom its cause.
 */
export const retryAfterCrash = (policy: RetryPolicy, crashes: Crashes, at: number, random: number): number | undefined => {
  if (areTooMany(crashes, policy.maxCrashes)) return undefined
  return crashes.inARow === 1 ? at : at + delayMs(policy.backoff, crashes.inARow - 1, random)
}
