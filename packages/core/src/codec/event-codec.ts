import type { TaskEvent } from '../domain/task-event.ts'
import { UnknownEventType } from '../ports/shared/errors.ts'
import type { Fields } from './fields.ts'
import {
  checkFields,
  isAnything,
  isCount,
  isFlag,
  isId,
  isNumber,
  isShape,
  isText,
  isTexts,
  malformed,
  optional,
  parseRecord,
  pick,
  writeRecord,
} from './fields.ts'

const isError = isShape({ name: isText, message: isText, stack: optional(isText), code: optional(isText) })
const isProgress = isShape({ attempt: isCount, sequence: isCount, at: isNumber, value: isAnything })
const isRetryPolicy = isShape({
  maxAttempts: isCount,
  maxCrashes: isCount,
  backoff: isShape({ initialMs: isNumber, factor: isNumber, maxMs: isNumber, jitter: isNumber }),
})
const isTask = isShape({ type: isText, version: isCount, payload: isAnything })

const base = { type: isText, taskId: isId, version: isCount, eventId: isText, at: isNumber, node: isText }

/** The fields of each event. */
const fieldsOf: Readonly<Record<TaskEvent['type'], Fields>> = {
  TaskCreated: {
    ...base,
    task: isTask,
    queue: isText,
    retry: isRetryPolicy,
    timeoutMs: optional(isNumber),
    notBefore: optional(isNumber),
    labels: isTexts,
    idempotencyKey: optional(isText),
    retryOf: optional(isId),
  },
  TaskStarted: { ...base, attempt: isCount, fence: optional(isCount) },
  TaskCancelRequested: { ...base, by: isText, reason: optional(isText) },
  TaskCompleted: { ...base, attempt: isCount, result: optional(isAnything), progress: optional(isProgress) },
  TaskFailed: { ...base, attempt: isCount, error: isError, progress: optional(isProgress), retryAt: optional(isNumber) },
  TaskCancelled: {
    ...base,
    attempt: optional(isCount),
    abandoned: optional(isFlag),
    error: optional(isError),
    progress: optional(isProgress),
  },
  TaskDied: {
    ...base,
    attempt: isCount,
    diedOn: isText,
    reason: optional(isText),
    progress: optional(isProgress),
    retryAt: optional(isNumber),
  },
  TaskReleased: { ...base, attempt: isCount, reason: optional(isText), progress: optional(isProgress) },
}

/**
 * The event as text: JSON with the version of this codec.
 *
 * @throws `MALFORMED` if {@link decodeEvent} could not read it back.
 */
export const encodeEvent = (event: TaskEvent): string => writeRecord(event.type, event, fieldsOf[event.type])

/** @throws `MALFORMED` if an event could not be read back: whoever writes it has to refuse it. */
export const checkEvent = (event: TaskEvent): void =>
  checkFields(event.type, event as unknown as Readonly<Record<string, unknown>>, fieldsOf[event.type])

/**
 * Reads an event. Tolerant: it drops unknown fields, so that a newer release may add fields.
 *
 * @throws `UNKNOWN_EVENT_TYPE`, with the name of the type, if this release does not know the event; `MALFORMED` if the text is not an event.
 */
export const decodeEvent = (text: string): TaskEvent => eventOf(parseRecord('event', text))

/** Reads an event from a record that is already parsed. */
export const eventOf = (record: Record<string, unknown>): TaskEvent => {
  const { type } = record
  if (typeof type !== 'string') throw malformed('event: the field "type" is missing')
  if (!Object.hasOwn(fieldsOf, type)) throw new UnknownEventType(type, String(record['taskId']), Number(record['version']))
  return pick(type, record, fieldsOf[type as TaskEvent['type']]) as unknown as TaskEvent
}
