import { misuse } from '../../ports/errors.ts'

/** The longest time that makes sense anywhere here: ten years, in milliseconds. */
const longestMs = 10 * 365 * 24 * 3_600_000

/** @throws TypeError where the value is no time in milliseconds. */
export const checkMs = (what: string, value: number): number => {
  if (typeof value !== 'number' || !(value >= 0 && value <= longestMs))
    throw misuse(`${what} is ${String(value)}: give milliseconds, 0 to ${longestMs}`)
  return value
}

/** @throws TypeError where the value is no whole number in the range. */
export const checkWhole = (what: string, value: number, least: number, most: number): number => {
  if (!Number.isInteger(value) || value < least || value > most)
    throw misuse(`${what} is ${String(value)}: give a whole number, ${least} to ${most}`)
  return value
}

/** @throws TypeError where the value is no text of that length. */
export const checkText = (what: string, value: string, longest: number): string => {
  if (typeof value !== 'string' || value.length === 0 || value.length > longest)
    throw misuse(
      `${what} is ${typeof value === 'string' ? `${value.length} characters long` : String(value)}: give a text of 1 to ${longest} characters`,
    )
  return value
}

/** Milliseconds since 1970. */
export const timeOf = (what: string, time: Date | number): number => {
  const ms = typeof time === 'number' ? time : time.getTime()
  if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) throw misuse(`${what} is ${String(time)}: give a Date, or milliseconds since 1970`)
  return ms
}

/** The minimum of an interval at which a node does something by itself, in milliseconds. */
const minIntervalMs = 10

/** @throws TypeError where the value is no interval in milliseconds, 10 or more. */
export const checkIntervalMs = (what: string, value: number): number => {
  if (checkMs(what, value) < minIntervalMs) throw misuse(`${what} is ${value}: give ${minIntervalMs} milliseconds or more`)
  return value
}
