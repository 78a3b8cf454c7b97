import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { JsonValue } from '../domain/json.ts'
import { TaskledgerError } from '../ports/errors.ts'
import type { UpcastStep } from './task-options.ts'
import { toJson } from './to-json.ts'
import type { Subject } from './validate.ts'
import { InvalidValue, validate } from './validate.ts'

/** The payload was stored in a form that this node does not know: a newer release wrote it, or a step to it is missing. */
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

/** Only keeps the walk finite: how much is allowed is for the manager to say. */
const maxBytes = 2 ** 30

const subjectOf = (type: string): Subject => ({ code: 'INVALID_PAYLOAD', what: `payload of task type "${type}"` })

/** What is stored of a submitted payload: a copy of it, once the schema has nothing against that. */
export const encodePayload = async (type: string, schema: StandardSchemaV1 | undefined, value: unknown): Promise<JsonValue> => {
  // The copy is checked, not the original: that might change while the schema waits.
  const copy = value === undefined ? undefined : toJson(value, 'payload', maxBytes)
  if (schema !== undefined) await validate(schema, copy, subjectOf(type))
  else if (copy !== undefined && copy !== null)
    throw new InvalidValue(
      'INVALID_PAYLOAD',
      `the task type "${type}" takes no payload: leave it out, or give its definition a payload schema`,
    )
  return copy ?? null
}

/** How the payloads of a type are read. */
export interface PayloadForm {
  readonly type: string
  readonly version: number
  readonly schema: StandardSchemaV1 | undefined
  readonly upcast: Readonly<Record<number, UpcastStep>>
}

/** What the body is given of a stored payload, perhaps of an older version. */
export const decodePayload = async (form: PayloadForm, stored: number, payload: JsonValue): Promise<unknown> => {
  // A copy: neither a step nor the body may change what the history holds.
  const value = await upcast(form, stored, toJson(payload, 'payload', maxBytes))
  return form.schema === undefined ? undefined : validateStored(form.schema, value, subjectOf(form.type))
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
        `the payload of task type "${type}" could not be brought ${step}: the upcast threw, see "cause"`,
        [],
        { cause },
      )
    }
  }
  return value
}

/** An absent payload is stored as null. Which of the two was meant, the schema knows. */
const validateStored = async (schema: StandardSchemaV1, value: unknown, subject: Subject): Promise<unknown> => {
  try {
    return await validate(schema, value, subject)
  } catch (error) {
    if (value !== null || !(error instanceof InvalidValue)) throw error
    return validate(schema, undefined, subject).catch(() => Promise.reject(error))
  }
}
