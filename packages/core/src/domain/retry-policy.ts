/** How long to wait before a task runs again. */
export interface RetryBackoff {
  /** The delay before the second run, in milliseconds. */
  readonly initialMs: number
  /** What each further delay is multiplied by. */
  readonly factor: number
  /** The longest delay, in milliseconds, before chance has its say. */
  readonly maxMs: number
  /** The share of the delay, 0 to 1, by which chance may shorten or lengthen it, so that many tasks do not come back as one. */
  readonly jitter: number
}

/** When a task runs again. It is stored in `TaskCreated`, so that any node can apply it. */
export interface RetryPolicy {
  /** How many attempts may end in a failure, the first one included. 1: a failure is final. */
  readonly maxAttempts: number
  /** How many crashes of its node a task survives. 0: it never runs again after one. */
  readonly maxCrashes: number
  /** The waiting time between runs. */
  readonly backoff: RetryBackoff
}

/** What applies where a definition says nothing: a failure is final, three crashes are survived. */
export const defaultRetryPolicy: RetryPolicy = {
  maxAttempts: 1,
  maxCrashes: 3,
  backoff: { initialMs: 1_000, factor: 2, maxMs: 60_000, jitter: 0.2 },
}

/** The delay in milliseconds after the `nth` failure (1, 2, …). `random` is in [0, 1) and comes with the command. */
const delayMs = (backoff: RetryBackoff, nth: number, random: number): number => {
  // Bounded before the product: 0 times Infinity is no number.
  const growth = Math.min(Number.MAX_VALUE, backoff.factor ** (nth - 1))
  const plain = Math.min(backoff.maxMs, backoff.initialMs * growth)
  return Math.round(plain * (1 + backoff.jitter * (2 * random - 1)))
}

/** When a task that failed for the `failures`-th time at `at` runs again, or nothing where its attempts are used up. */
export const retryAfterFailure = (policy: RetryPolicy, failures: number, at: number, random: number): number | undefined =>
  failures < policy.maxAttempts ? at + delayMs(policy.backoff, failures, random) : undefined

/**
 * When a task whose node died for the `crashes`-th time runs again, or nothing where it survived as many as it may. The
 * first crash costs no waiting: it is seldom the task's doing.
 */
export const retryAfterCrash = (policy: RetryPolicy, crashes: number, at: number, random: number): number | undefined => {
  if (crashes > policy.maxCrashes) return undefined
  return crashes === 1 ? at : at + delayMs(policy.backoff, crashes - 1, random)
}
