import { isTaskId } from '../domain/task-id.ts'
import { taskStatuses } from '../domain/task-status.ts'
import { TaskledgerError } from '../ports/shared/errors.ts'

/** Whether a value fits a field. */
export type Check = (value: unknown) => boolean

/** A field that may be absent. */
export interface OptionalField {
  readonly optional: Check
}

/** The fields of a record: other fields are not read. */
export type Fields = Readonly<Record<string, Check | OptionalField>>

export const isText: Check = (value) => typeof value === 'string'
export const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value)
export const isCount: Check = (value) => Number.isInteger(value) && (value as number) >= 0
export const isFlag: Check = (value) => typeof value === 'boolean'
export const isId: Check = isTaskId
export const isStatus: Check = (value) => (taskStatuses as readonly unknown[]).includes(value)
export const isAnything: Check = (value) => value !== undefined
export const isTexts: Check = (value) => Array.isArray(value) && value.every(isText)
export const isCounts: Check = (value) => isRecord(value) && Object.values(value).every(isNumber)
export const optional = (check: Check): OptionalField => ({ optional: check })

/** A record with these fields. */
export const isShape =
  (fields: Fields): Check =>
  (value) =>
    isRecord(value) && Object.entries(fields).every(([name, field]) => fitsField(value[name], field))

const fitsField = (value: unknown, field: Check | OptionalField): boolean =>
  typeof field === 'function' ? field(value) : value === undefined || field.optional(value)

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The named fields of a record, checked. Other fields are dropped: a newer release may have written them. */
export const pick = (what: string, record: Record<string, unknown>, fields: Fields): Record<string, unknown> => {
  checkFields(what, record, fields)
  const picked: Record<string, unknown> = {}
  for (const name in fields) {
    const value = record[name]
    if (value !== undefined) picked[name] = value
  }
  return picked
}

/**
 * Writes a record of this codec as text, if this codec can read it back.
 *
 * @throws `MALFORMED` if a field is missing or of the wrong type.
 */
export const writeRecord = (what: string, record: object, fields: Fields): string => {
  checkFields(what, record as Readonly<Record<string, unknown>>, fields)
  return JSON.stringify({ v: 1, ...record })
}

/** @throws `MALFORMED` if a field is missing or of the wrong type. */
export const checkFields = (what: string, record: Readonly<Record<string, unknown>>, fields: Fields): void => {
  for (const name in fields) {
    const value = record[name]
    if (fitsField(value, fields[name] as Check | OptionalField)) continue
    throw malformed(`${what}: the field "${name}" is ${value === undefined ? 'missing' : 'of the wrong type'}`)
  }
}

/** Reads a record of this codec from its text. */
export const parseRecord = (what: string, text: string): Record<string, unknown> => {
  const value = parseJson(what, text)
  if (!isRecord(value)) throw malformed(`${what} is not an object`)
  if (!isCount(value['v']) || (value['v'] as number) < 1) throw malformed(`${what} has no codec version`)
  return value
}

const parseJson = (what: string, text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw malformed(`${what} is not JSON`, cause)
  }
}

export const malformed = (message: string, cause?: unknown): TaskledgerError<'MALFORMED'> =>
  new TaskledgerError('MALFORMED', message, { cause })
