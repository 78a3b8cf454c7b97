import type { StandardSchemaV1 } from '@standard-schema/spec'
import { TaskledgerError } from '../ports/shared/errors.ts'

/** One objection of a schema. */
export interface ValidationIssue {
  /** The properties and indexes that lead to the refused part; empty for the value itself. */
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** Which value was refused. */
export type InvalidValueCode = 'INVALID_PAYLOAD' | 'INVALID_RESULT' | 'INVALID_PROGRESS'

/** A schema refused a payload, a result or a progress report. `issues` says where and why. */
export class InvalidValue<Code extends InvalidValueCode = InvalidValueCode> extends TaskledgerError<Code> {
  readonly issues: readonly ValidationIssue[]

  constructor(code: Code, message: string, issues: readonly ValidationIssue[] = [], options?: { readonly cause?: unknown }) {
    super(code, message, options)
    this.name = 'InvalidValue'
    this.issues = issues
  }
}

/** The checked value, for messages: `payload of task type "reindex"`. */
export interface Subject {
  readonly code: InvalidValueCode
  readonly what: string
}

/**
 * The schema's output for a value.
 *
 * @throws the subject's code, with the schema's issues, if the schema refuses the value or throws.
 */
export const validate = async (schema: StandardSchemaV1, value: unknown, subject: Subject): Promise<unknown> => {
  let result
  try {
    result = await schema['~standard'].validate(value)
  } catch (cause) {
    throw schemaThrew(subject, cause)
  }
  return outputOf(result, subject)
}

/**
 * Checks a value without waiting. The answer of an async schema is ignored.
 *
 * @throws as {@link validate}.
 */
export const validateAtOnce = (schema: StandardSchemaV1, value: unknown, subject: Subject): void => {
  let result
  try {
    result = schema['~standard'].validate(value)
  } catch (cause) {
    throw schemaThrew(subject, cause)
  }
  // The answer is ignored, so its rejection must not be unhandled.
  if (result instanceof Promise) result.catch(() => {})
  else outputOf(result, subject)
}

const outputOf = (result: StandardSchemaV1.Result<unknown>, { code, what }: Subject): unknown => {
  if (!result.issues) return result.value
  const issues = Array.from(result.issues, plainIssue)
  throw new InvalidValue(
    code,
    `the ${what} was refused by its schema: ${issues.slice(0, maxIssuesShown).map(sentenceOf).join('; ')}${rest(issues)}`,
    issues,
  )
}

const schemaThrew = ({ code, what }: Subject, cause: unknown): InvalidValue =>
  new InvalidValue(code, `the ${what} could not be checked: its schema threw, see "cause"`, [], { cause })

const maxIssuesShown = 10

const rest = (issues: readonly ValidationIssue[]): string =>
  issues.length > maxIssuesShown ? `; and ${issues.length - maxIssuesShown} more` : ''

/**
 * Only path and message: libraries also put the whole input into an issue, which must not end up in logs. `Array.from`, because the lists of
 * a library may be of a subclass whose `map` makes that subclass.
 */
const plainIssue = ({ message, path = [] }: StandardSchemaV1.Issue): ValidationIssue => ({
  message,
  path: Array.from(path, (step) => (typeof step === 'object' ? step.key : step)),
})

const sentenceOf = ({ path, message }: ValidationIssue): string =>
  path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`
