import { codeOf, isMisuse } from '../../ports/errors.ts'
import type { NodeContext } from './context.ts'

/** Failures that trying again does not mend. `OUTCOME_UNKNOWN` and whatever has no code are tried again: every call may be repeated. */
const lasting: ReadonlySet<string | undefined> = new Set([
  'CLOSED',
  'MALFORMED',
  'UNKNOWN_EVENT_TYPE',
  'TOO_LARGE',
  'MISCONFIGURED',
  'INVALID_CURSOR',
  'VERSION_CONFLICT',
])

/** Whether trying again may mend the failure. */
export const mayPass = (error: unknown): boolean => !lasting.has(codeOf(error)) && !isMisuse(error)

const firstDelayMs = 10
const longestDelayMs = 2_000

/** The delay before the `tries`-th repetition (1, 2, …), in milliseconds, with bounded jitter. */
export const repetitionDelayMs = (tries: number, random: number): number =>
  Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(tries - 1, 10)) * (0.5 + random / 2)

export interface Persistence {
  /** How long to go on, in milliseconds from now; Infinity until the node closes. */
  readonly forMs: number
  /** The caller's own signal. */
  readonly signal?: AbortSignal | undefined
}

/** Until the node closes: for what has happened and has to be written down. */
export const untilClosed: Persistence = { forMs: Infinity }

/**
 * Calls a port until it answers: failures that may pass are tried again with growing delays. Past `forMs` the last
 * failure is thrown.
 */
export const persist = async <T>(
  node: NodeContext,
  { forMs, signal }: Persistence,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  // By a clock that nobody sets: one that jumps must make nobody wait longer, and nobody give up.
  let spentMs = 0
  for (let tries = 1; ; tries++) {
    const calledAt = node.clock.elapsed()
    try {
      return await node.deadlines.call(signal, call)
    } catch (error) {
      signal?.throwIfAborted()
      spentMs += node.clock.elapsed() - calledAt
      if (node.closed.aborted || !mayPass(error) || spentMs >= forMs) throw error
      if (tries === 1) node.logger.debug({ err: error }, 'a call failed and is tried again')
      if (tries === 6) node.logger.warn({ err: error, tries }, 'a call still fails and is tried again')
      const delayMs = repetitionDelayMs(tries, node.random())
      await node.clock.sleep(delayMs, signal === undefined ? node.closed : AbortSignal.any([signal, node.closed]))
      spentMs += delayMs
    }
  }
}

/** The first wait of `persistAnyway`, as a number of tries: some two seconds. */
const firstPatience = 8

/**
 * Calls again, after a while, what has failed for a reason that should last: somebody may mend the engine. It goes on until it
 * succeeds, or the node closes.
 */
export const persistAnyway = async <T>(node: NodeContext, call: () => Promise<T>): Promise<T> => {
  for (let tries = firstPatience; ; tries++) {
    await node.clock.sleep(repetitionDelayMs(tries, node.random()), node.closed)
    try {
      return await call()
    } catch (error) {
      if (node.closed.aborted) throw error
    }
  }
}
