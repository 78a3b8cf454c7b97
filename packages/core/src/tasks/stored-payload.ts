import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { JsonValue } from '../domain/json.ts'
import { TaskledgerError } from '../ports/shared/errors.ts'
import type { UpcastStep } from './task-options.ts'
import { defaultMaxPayloadBytes, toJson } from './to-json.ts'
import type { Subject } from './validate.ts'
import { InvalidValue, validate } from './validate.ts'

/** The payload was stored in a version that this node does not know: a newer release wrote it, or an upcast is missing. */
export class UnknownTaskVersion extends TaskledgerError<'UNKNOWN_TASK_VERSION'> {
  readonly taskType: string
  readonly storedVersion: number
  /** The versions that this node can read. */
  readonly knownVersions: readonly number[]

  constructor(taskType: string, storedVersion: number, knownVersions: readonly number[]) {
    super(
      'UNKNOWN_TASK_VERSION',
      `a task of type "${taskType}" was stored in version ${storedVersion}, and this node knows ${knownVersions.join(', ')}: ` +
        'deploy the release that knows it, or add its upcast',
    )
    this.name = 'UnknownTaskVersion'
    this.taskType = taskType
    this.storedVersion = storedVersion
    this.knownVersions = knownVersions
  }
}

/** A stored payload is text that was read: it has the size that it had in the store. */
const maxStoredBytes = Number.MAX_SAFE_INTEGER

const subjectOf = (type: string): Subject => ({ code: 'INVALID_PAYLOAD', what: `payload of task type "${type}"` })

/** What is stored of a submitted payload: a copy of it, after the schema has accepted it. */
export const encodePayload = async (
  type: string,
  schema: StandardSchemaV1 | undefined,
  value: unknown,
  { maxBytes }: { readonly maxBytes: number } = { maxBytes: defaultMaxPayloadBytes },
): Promise<JsonValue> => {
  // The schema checks the copy: the original might change while an async schema runs, and only the copy is bounded.
  const copy = value === undefined ? undefined : toJson(value, 'payload', maxBytes)
  if (schema !== undefined) await validate(schema, copy, subjectOf(type))
  else if (copy !== undefined && copy !== null)
    throw new InvalidValue(
      'INVALID_PAYLOAD',
      `the task type "${type}" takes no payload: leave the payload out, or give the definition a payload schema`,
    )
  return copy ?? null
}

/** How stored payloads of a type are read. */
export interface PayloadForm {
  readonly type: string
  readonly version: number
  readonly schema: StandardSchemaV1 | undefined
  readonly upcast: Readonly<Record<number, UpcastStep>>
}

/** The payload for the body, from a stored payload of this or an older version. */
export const decodePayload = async (form: PayloadForm, stored: number, payload: JsonValue): Promise<unknown> =>
  (await acceptedPayload(form, stored, payload)).output

/** The payload as it was submitted, brought to this version from a stored payload of this or an older version. */
export const restorePayload = async (form: PayloadForm, stored: number, payload: JsonValue): Promise<unknown> =>
  (await acceptedPayload(form, stored, payload)).input

/** What the schema accepted, and what it made of that. */
interface Accepted {
  readonly input: unknown
  readonly output: unknown
}

const acceptedPayload = async (form: PayloadForm, stored: number, payload: JsonValue): Promise<Accepted> => {
  // A copy: neither an upcast nor the body may change the event in memory.
  const input = await upcast(form, stored, toJson(payload, 'payload', maxStoredBytes))
  return form.schema === undefined ? { input: undefined, output: undefined } : acceptStored(form.schema, input, subjectOf(form.type))
}

const upcast = async ({ type, version, upcast }: PayloadForm, stored: number, payload: unknown): Promise<unknown> => {
  if (stored !== version && !(stored in upcast)) throw new UnknownTaskVersion(type, stored, [...Object.keys(upcast).map(Number), version])
  let value = payload
  for (let from = stored; from < version; from++) {
    try {
      value = await upcast[from]?.(value)
    } catch (cause) {
      const step = `from version ${from} to ${from + 1}`
      throw new InvalidValue(
        'INVALID_PAYLOAD',
        `the payload of task type "${type}" could not be upcast ${step}: the upcast threw, see "cause"`,
        [],
        { cause },
      )
    }
  }
  return value
}

/** An absent payload is stored as null. If the schema refuses null, the payload was absent. */
const acceptStored = async (schema: StandardSchemaV1, input: unknown, subject: Subject): Promise<Accepted> => {
  try {
    return { input, output: await validate(schema, input, subject) }
  } catch (error) {
    if (input !== null || !(error instanceof InvalidValue)) throw error
    return { input: undefined, output: await validate(schema, undefined, subject).catch(() => Promise.reject(error)) }
  }
}
