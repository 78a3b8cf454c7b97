import type { TaskCreated } from '../domain/task-event.ts'
import type { TaskNotice } from '../ports/event-bus.ts'
import type { WorkMessage } from '../ports/work-queue.ts'
import { checkEvent, eventOf } from './event-codec.ts'
import {
  isAnything,
  isCount,
  isId,
  isNumber,
  isRecord,
  isStatus,
  isText,
  malformed,
  optional,
  parseRecord,
  pick,
  writeRecord,
} from './fields.ts'

const messageFields = { taskId: isId, version: isCount, sentAt: isNumber, created: optional(isAnything) }

const noticeFields = { taskId: isId, version: isCount, type: isText, status: isStatus, node: isText }

/**
 * The message as text: JSON with the version of this codec.
 *
 * @throws `MALFORMED` if {@link decodeMessage} could not read it back.
 */
export const encodeMessage = (message: WorkMessage): string => {
  if (message.created !== undefined) checkEvent(message.created)
  return writeRecord('message', message, messageFields)
}

/**
 * Reads a message of a work queue.
 *
 * @throws `MALFORMED` if the text is something else.
 */
export const decodeMessage = (text: string): WorkMessage => {
  const { created, ...message } = pick('message', parseRecord('message', text), messageFields)
  const first = created === undefined ? {} : { created: createdOf(created) }
  return { ...message, ...first } as unknown as WorkMessage
}

const createdOf = (value: unknown): TaskCreated => {
  const event = isRecord(value) ? eventOf(value) : undefined
  if (event?.type !== 'TaskCreated') throw malformed('message: the field "created" is not a TaskCreated')
  return event
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
