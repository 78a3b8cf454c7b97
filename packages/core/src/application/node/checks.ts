import type { ChecksOf } from '../../ports/shared/check-options.ts'
import { checkOptions } from '../../ports/shared/check-options.ts'
import { checkMs, checkSignal, wrongOption } from '../../ports/shared/checks.ts'
import type { CallOptions } from '../../ports/call-options.ts'

/** The minimum interval of a node's periodic work, in milliseconds. */
const minIntervalMs = 10

/** @throws `MISUSE` unless the value is an interval in milliseconds, 10 or more. */
export const checkIntervalMs = (name: string, value: unknown): number => {
  const ms = checkMs(name, value)
  if (ms < minIntervalMs) throw wrongOption(name, value, `${minIntervalMs} milliseconds or more`)
  return ms
}

/** The check of what most calls take: a signal. */
export const callChecks = { signal: checkSignal } satisfies ChecksOf<CallOptions>

/** @throws `MISUSE` unless the options are those of a call that takes only a signal. */
export const checkCall = (owner: string, given: unknown): CallOptions => checkOptions(owner, given, callChecks)
