import { codeOf, isMisuse } from '../../ports/shared/errors.ts'
import type { NodeContext } from './context.ts'

/** Failures that a retry cannot cure. `OUTCOME_UNKNOWN` and errors without a code are retried: every call of a port may be repeated. */
const lasting: ReadonlySet<string | undefined> = new Set([
  'CLOSED',
  'MALFORMED',
  'UNKNOWN_EVENT_TYPE',
  'TOO_LARGE',
  'MISCONFIGURED',
  'INVALID_CURSOR',
  'VERSION_CONFLICT',
  'TYPE_MISMATCH',
])

/** Whether a retry may succeed. */
export const mayPass = (error: unknown): boolean => !lasting.has(codeOf(error)) && !isMisuse(error)

const firstDelayMs = 10
const maxDelayMs = 2_000

/** The delay before the `tries`-th retry (1, 2, …), in milliseconds, with jitter. */
export const repetitionDelayMs = (tries: number, random: number): number =>
  Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(tries - 1, 10)) * (0.5 + random / 2)

/** How long a call is retried. */
export interface Persistence {
  /** How long to retry, in milliseconds from now; Infinity: until the node closes. */
  readonly forMs: number
  /** The caller's own signal. */
  readonly signal?: AbortSignal | undefined
}

/** Retries until the node closes: for facts that have to be written. */
export const untilClosed: Persistence = { forMs: Infinity }

/**
 * Calls a port until the call succeeds: transient failures are retried with growing delays. A lasting failure is thrown at once, the last
 * transient failure after `forMs`.
 */
export const persist = async <T>(
  node: NodeContext,
  { forMs, signal }: Persistence,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  // Measured by the monotone clock: a jump of the wall clock must neither prolong the retries nor end them.
  let spentMs = 0
  for (let tries = 1; ; tries++) {
    const calledAt = node.clock.elapsed()
    try {
      return await node.deadlines.call(signal, call)
    } catch (error) {
      signal?.throwIfAborted()
      spentMs += node.clock.elapsed() - calledAt
      if (node.closed.aborted || !mayPass(error) || spentMs >= forMs) throw error
      if (tries === 1) node.logger.debug({ err: error }, 'retrying a failed call')
      if (tries === 6) node.logger.warn({ err: error, tries }, 'retrying a call that keeps failing')
      const delayMs = repetitionDelayMs(tries, node.random())
      await node.clock.sleep(delayMs, signal === undefined ? node.closed : AbortSignal.any([signal, node.closed]))
      spentMs += delayMs
    }
  }
}

/** The first delay of `persistAnyway`, as a number of tries: some two seconds. */
const firstTries = 8

/**
 * Repeats a call that failed with a lasting error: an operator may repair the engine. It retries until the call succeeds or the node
 * closes.
 */
export const persistAnyway = async <T>(node: NodeContext, call: () => Promise<T>): Promise<T> => {
  for (let tries = firstTries; ; tries++) {
    await node.clock.sleep(repetitionDelayMs(tries, node.random()), node.closed)
    try {
      return await call()
    } catch (error) {
      if (node.closed.aborted) throw error
    }
  }
}
