import type { TaskCreated } from '../domain/task-event.ts'
import type { TaskNotice } from '../ports/event-bus.ts'
import type { WorkMessage } from '../ports/work-queue.ts'
import { eventOf } from './event-codec.ts'
import { isAnything, isCount, isId, isNumber, isRecord, isStatus, isText, malformed, optional, parseRecord, pick } from './fields.ts'

/** The message as text: JSON with the version of this codec. */
export const encodeMessage = (message: WorkMessage): string => JSON.stringify({ v: 1, ...message })

/**
 * Reads a message of a work queue.
 *
 * @throws `MALFORMED` if the text is something else.
 */
export const decodeMessage = (text: string): WorkMessage => {
  const fields = { taskId: isId, version: isCount, sentAt: isNumber, created: optional(isAnything) }
  const { created, ...message } = pick('message', parseRecord('message', text), fields)
  const first = created === undefined ? {} : { created: createdOf(created) }
  return { ...message, ...first } as unknown as WorkMessage
}

const createdOf = (value: unknown): TaskCreated => {
  const event = isRecord(value) ? eventOf(value) : undefined
  if (event?.type !== 'TaskCreated') throw malformed('message: the field "created" is not a TaskCreated')
  return event
}

/** The notice as text: JSON with the version of this codec. */
export const encodeNotice = (notice: TaskNotice): string => JSON.stringify({ v: 1, ...notice })

/**
 * Reads a notice of an event bus. This release may not know its `type`.
 *
 * @throws `MALFORMED` if the text is something else.
 */
export const decodeNotice = (text: string): TaskNotice =>
  pick('notice', parseRecord('notice', text), {
    taskId: isId,
    version: isCount,
    type: isText,
    status: isStatus,
    node: isText,
  }) as unknown as TaskNotice
