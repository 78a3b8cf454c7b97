import type { Clock } from './clock.ts'
import type { MisuseError } from './errors.ts'
import { misuse } from './errors.ts'
import type { Logger } from './logger.ts'

/** The maximum of a duration: ten years, in milliseconds. More is a mistake in the unit. */
const maxMs = 10 * 365 * 24 * 3_600_000

/** Kinds of objects that hold something else than properties: as an object of options they would be empty. */
const holders: ReadonlySet<string> = new Set(['Date', 'Map', 'Set', 'Promise'])

/** `Date`, `Map`, `Set` or `Promise`, also of another realm; otherwise `undefined`. */
export const holderOf = (value: object): string | undefined => {
  const kind = Object.prototype.toString.call(value).slice('[object '.length, -1)
  return holders.has(kind) ? kind : undefined
}

/** A wrong value as error messages show it: briefly. */
export const shown = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value.length <= 60 ? value : `${value.slice(0, 59)}…`)
  if (typeof value === 'object' && value !== null) return shownObject(value)
  if (typeof value === 'bigint') return `${value}n`
  return typeof value === 'function' ? 'a function' : String(value)
}

const shownObject = (value: object): string => {
  if (Array.isArray(value)) return 'an array'
  const holder = holderOf(value)
  if (holder === undefined) return 'an object'
  return holder === 'Date' && Number.isNaN(Number(value)) ? 'an invalid Date' : `a ${holder}`
}

/** Makes the error of a wrong option: `MISUSE`, "NAME is VALUE: give WANTED". Not for secrets: it shows the value. */
export const wrongOption = (name: string, value: unknown, wanted: string): MisuseError<'MISUSE'> =>
  misuse(`${name} is ${shown(value)}: give ${wanted}`)

/** Minus zero would come back from a store as zero. */
const withoutMinus = (value: number): number => value + 0

/** @throws `MISUSE` unless the value is a duration in milliseconds, 0 to ten years. */
export const checkMs = (name: string, value: unknown): number => {
  if (typeof value !== 'number' || !(value >= 0 && value <= maxMs)) throw wrongOption(name, value, `milliseconds, 0 to ${maxMs}`)
  return withoutMinus(value)
}

/** @throws `MISUSE` unless the value is a whole number from `min` to `max`. */
export const checkWhole = (name: string, value: unknown, min: number, max: number): number => {
  if (!isWhole(value) || value < min || value > max) throw wrongOption(name, value, `a whole number, ${min} to ${max}`)
  return withoutMinus(value)
}

/**
 * @throws `MISUSE` unless the value is a text of 1 to `maxLength` characters. Halves of surrogate pairs are refused: as UTF-8, all of them
 * would become the same character.
 */
export const checkText = (name: string, value: unknown, maxLength: number): string => {
  if (typeof value !== 'string' || value.length === 0 || value.length > maxLength)
    throw wrongOption(name, value, `a text of 1 to ${maxLength} characters`)
  if (!isWellFormed(value)) throw wrongOption(name, value, 'a text of whole characters: it has half of a surrogate pair')
  return value
}

/** @throws `MISUSE` unless the value is a text that the pattern matches; `wanted` says in words what the pattern asks for. */
export const checkPattern = (name: string, value: unknown, pattern: RegExp, wanted: string): string => {
  if (typeof value !== 'string' || !pattern.test(value)) throw wrongOption(name, value, wanted)
  return value
}

/** @throws `MISUSE` unless the value is one of the choices. */
export const checkOneOf = <Choice extends string>(name: string, value: unknown, choices: readonly Choice[]): Choice => {
  const choice = choices.find((each) => each === value)
  if (choice === undefined) throw wrongOption(name, value, choices.map((each) => `"${each}"`).join(' or '))
  return choice
}

/** @throws `MISUSE` unless the value is a function. */
export const checkFunction = (name: string, value: unknown): ((...given: never[]) => unknown) => {
  if (typeof value !== 'function') throw wrongOption(name, value, 'a function')
  return value as (...given: never[]) => unknown
}

/** @throws `MISUSE` unless the value is an `AbortSignal`, of this realm or another. */
export const checkSignal = (name: string, value: unknown): AbortSignal => {
  if (!hasMethods(value, ['addEventListener', 'removeEventListener', 'throwIfAborted']) || !('aborted' in value))
    throw wrongOption(name, value, value instanceof AbortController ? 'the signal of the AbortController' : 'an AbortSignal')
  return value as AbortSignal
}

/** @throws `MISUSE` unless the value has the methods of a logger. */
export const checkLogger = (name: string, value: unknown): Logger => {
  if (!hasMethods(value, ['debug', 'info', 'warn', 'error']))
    throw wrongOption(name, value, 'an object with the methods debug, info, warn and error (pino, console)')
  return value as Logger
}

/** @throws `MISUSE` unless the value has the methods of a clock, and shows numbers. */
export const checkClock = (name: string, value: unknown): Clock => {
  if (!isClock(value)) throw wrongOption(name, value, 'an object with the methods now, elapsed, schedule and sleep')
  const [now, elapsed]: readonly unknown[] = [value.now(), value.elapsed()]
  if (!Number.isFinite(now)) throw wrongOption(`${name}.now()`, now, 'a clock that shows milliseconds since 1970, as a number')
  if (!Number.isFinite(elapsed)) throw wrongOption(`${name}.elapsed()`, elapsed, 'a clock that shows milliseconds, as a number')
  return value
}

/** Whether a value has all of these methods, of its own or inherited. */
export const hasMethods = (value: unknown, names: readonly string[]): value is object =>
  typeof value === 'object' && value !== null && names.every((name) => typeof Reflect.get(value, name) === 'function')

/** Whether the value has the methods of a clock. */
export const isClock = (value: unknown): value is Clock => hasMethods(value, ['now', 'elapsed', 'schedule', 'sleep'])

const isWhole = (value: unknown): value is number => Number.isInteger(value)

const halfSurrogate = /\p{Cs}/u

/** Whether a text can be written as UTF-8 and read back. */
const isWellFormed = (text: string): boolean => !halfSurrogate.test(text)
