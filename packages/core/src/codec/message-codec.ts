import type { TaskCreated } from '../domain/task-event.ts'
import type { TaskNotice } from '../ports/event-bus.ts'
import type { WorkMessage } from '../ports/work-queue.ts'
import { checkEvent, eventOf } from './event-codec.ts'
import type { Check } from './fields.ts'
import { isAnything, isCount, isId, isRecord, isStatus, isText, malformed, optional, parseRecord, pick, writeRecord } from './fields.ts'

const isVersion: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0

/** The largest time that a `Date` can have, in milliseconds since 1970. */
const maxTime = 8.64e15

const isTime: Check = (value) => typeof value === 'number' && Math.abs(value) <= maxTime

const messageFields = {
  taskId: isId,
  version: isVersion,
  createdAt: optional(isTime),
  sentAt: isTime,
  sentBy: optional(isText),
  dueInMs: optional(isTime),
  created: optional(isAnything),
}

const noticeFields = { taskId: isId, version: isCount, type: isText, status: isStatus, node: isText }

/**
 * The message as text: JSON with the version of this codec.
 *
 * @throws `MALFORMED` if {@link decodeMessage} could not read it back.
 */
export const encodeMessage = (message: WorkMessage): string => {
  if (message.created !== undefined) {
    checkEvent(message.created)
    checkIsFirst(message.created, message.taskId)
  }
  return writeRecord('message', message, messageFields)
}

/**
 * Reads a message of a work queue. What it says of its task is only a hint: the store decides.
 *
 * @throws `MALFORMED` if the text is something else.
 */
export const decodeMessage = (text: string): WorkMessage => {
  const { created, ...message } = pick('message', parseRecord('message', text), messageFields)
  const first = created === undefined ? {} : { created: createdOf(created, message['taskId']) }
  return { ...message, ...first } as unknown as WorkMessage
}

/** How much of the text of a dead letter is shown, in characters. */
const maxShown = 16_384

/** What can be shown of a message whose text may be anything: the text, cut, and the message if it can be decoded. */
export const shownMessage = (text: string): { readonly text: string; readonly message?: WorkMessage } => {
  const shown = text.slice(0, maxShown)
  try {
    return { text: shown, message: decodeMessage(text) }
  } catch {
    return { text: shown }
  }
}

const createdOf = (value: unknown, taskId: unknown): TaskCreated => {
  const event = isRecord(value) ? eventOf(value) : undefined
  if (event?.type !== 'TaskCreated') throw malformed('message: the field "created" is not a TaskCreated')
  checkIsFirst(event, taskId)
  return event
}

const checkIsFirst = (event: TaskCreated, taskId: unknown): void => {
  if (event.taskId !== taskId || event.version !== 1) throw malformed('message: the field "created" is the first event of another task')
}

/**
 * The notice as text: JSON with the version of this codec.
 *
 * @throws `MALFORMED` if {@link decodeNotice} could not read it back.
 */
export const encodeNotice = (notice: TaskNotice): string => writeRecord('notice', notice, noticeFields)

/**
 * Reads a notice of an event bus. This release may not know its `type`.
 *
 * @throws `MALFORMED` if the text is something else.
 */
export const decodeNotice = (text: string): TaskNotice => pick('notice', parseRecord('notice', text), noticeFields) as unknown as TaskNotice
