import type { MisuseError } from './errors.ts'
import { misuse } from './errors.ts'

/** The maximum of a duration: ten years, in milliseconds. More is a mistake in the unit. */
const maxMs = 10 * 365 * 24 * 3_600_000

/** A wrong value as error messages show it: briefly. */
export const shown = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value.length <= 60 ? value : `${value.slice(0, 59)}…`)
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}

/** Makes the error of a wrong option: `MISUSE`, "NAME is VALUE: give WANTED". Not for secrets: it shows the value. */
export const wrongOption = (name: string, value: unknown, wanted: string): MisuseError<'MISUSE'> =>
  misuse(`${name} is ${shown(value)}: give ${wanted}`)

/** @throws `MISUSE` unless the value is a duration in milliseconds, 0 to ten years. */
export const checkMs = (name: string, value: number): number => {
  if (typeof value !== 'number' || !(value >= 0 && value <= maxMs)) throw wrongOption(name, value, `milliseconds, 0 to ${maxMs}`)
  return value
}

/** @throws `MISUSE` unless the value is a whole number from `min` to `max`. */
export const checkWhole = (name: string, value: number, min: number, max: number): number => {
  if (!Number.isInteger(value) || value < min || value > max) throw wrongOption(name, value, `a whole number, ${min} to ${max}`)
  return value
}

/** @throws `MISUSE` unless the value is a text of 1 to `maxLength` characters. */
export const checkText = (name: string, value: string, maxLength: number): string => {
  if (typeof value !== 'string' || value.length === 0 || value.length > maxLength)
    throw wrongOption(name, value, `a text of 1 to ${maxLength} characters`)
  return value
}

/** @throws `MISUSE` unless the value is a text that the pattern matches; `wanted` says in words what the pattern asks for. */
export const checkPattern = (name: string, value: unknown, pattern: RegExp, wanted: string): string => {
  if (typeof value !== 'string' || !pattern.test(value)) throw wrongOption(name, value, wanted)
  return value
}

/** @throws `MISUSE` unless the value is one of the choices. */
export const checkOneOf = <Choice extends string>(name: string, value: Choice, choices: readonly Choice[]): Choice => {
  if (!choices.includes(value)) throw wrongOption(name, value, choices.map((choice) => `"${choice}"`).join(' or '))
  return value
}
