import type { TaskCreated, WorkMessage } from '@taskledger/core/ports'
import { createdEvent } from '../sample-data.ts'
import { drawTaskId } from '../sample-data.ts'

/** A message for a task of its own, with the given changes. */
export const messageWith = (random: () => number, given: Partial<WorkMessage> = {}): WorkMessage => ({
  taskId: drawTaskId(random),
  version: 1,
  sentAt: 1_709_208_000_000,
  ...given,
})

/** The first event of the task, as submitters send it with the message. */
export const createdFor = ({ taskId }: WorkMessage, given: Partial<TaskCreated> = {}): TaskCreated => ({
  ...createdEvent(taskId),
  ...given,
})
