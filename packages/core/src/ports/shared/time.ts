import { wrongOption } from './checks.ts'

/** The times that a `Date` can hold, in milliseconds since 1970. */
const maxTimeMs = 8.64e15

/** A date (UTC), or a date and a time with its zone: without a zone, each node would read another time. */
const isoTime = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2}))?$/i

/**
 * Converts a time to whole milliseconds since 1970: the first one that is not before the time.
 *
 * @throws `MISUSE` unless the value is a valid time.
 */
export const timeOf = (name: string, time: unknown): number => {
  const ms = Math.ceil(msOf(time)) + 0
  if (!(Math.abs(ms) <= maxTimeMs))
    throw wrongOption(name, time, 'a Date, milliseconds since 1970, or ISO text with its zone ("2030-01-31T08:00:00Z")')
  return ms
}

/** Milliseconds since 1970; NaN if the value is no time. */
const msOf = (time: unknown): number => {
  if (typeof time === 'number') return time
  if (typeof time === 'string') return isRealDate(isoTime.exec(time)?.[1]) ? Date.parse(time) : Number.NaN
  // Also a `Date` of another realm.
  return Object.prototype.toString.call(time) === '[object Date]' ? Number(time) : Number.NaN
}

/** Whether the day exists: `Date.parse` takes the 30th of February for the 1st of March. */
const isRealDate = (day: string | undefined): boolean => {
  const ms = Date.parse(`${day}T00:00:00Z`)
  return Number.isFinite(ms) && new Date(ms).toISOString().slice(0, 10) === day
}
