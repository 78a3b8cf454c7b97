import { checkMs, wrongOption } from '../../ports/shared/checks.ts'

/** The minimum interval of a node's periodic work, in milliseconds. */
const minIntervalMs = 10

/** @throws `MISUSE` unless the value is an interval in milliseconds, 10 or more. */
export const checkIntervalMs = (name: string, value: number): number => {
  if (checkMs(name, value) < minIntervalMs) throw wrongOption(name, value, `${minIntervalMs} milliseconds or more`)
  return value
}

/**
 * Converts a time to milliseconds since 1970.
 *
 * @throws `MISUSE` unless the value is a valid time.
 */
export const timeOf = (name: string, time: Date | number): number => {
  const ms = typeof time === 'number' ? time : time.getTime()
  if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) throw wrongOption(name, time, 'a Date, or milliseconds since 1970')
  return ms
}
