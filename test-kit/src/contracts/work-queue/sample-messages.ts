import type { TaskCreated, WorkMessage } from '@taskledger/core/ports'
import { defaultRetryPolicy } from '@taskledger/core/ports'
import { drawTaskId } from '../task-listing/sample-details.ts'

/** A message for a task that nobody else has, but for what is given. */
export const messageWith = (random: () => number, given: Partial<WorkMessage> = {}): WorkMessage => ({
  taskId: drawTaskId(random),
  version: 1,
  sentAt: 1_709_208_000_000,
  ...given,
})

/** The first event of the message's task, as submitters send it along. */
export const createdFor = ({ taskId, sentAt }: WorkMessage, given: Partial<TaskCreated> = {}): TaskCreated => ({
  type: 'TaskCreated',
  taskId,
  version: 1,
  eventId: `${taskId}-1`,
  at: sentAt,
  node: 'front-end',
  task: { type: 'reindex', version: 2, payload: { mailbox: 'inbox' } },
  queue: 'default',
  retry: defaultRetryPolicy,
  labels: [],
  ...given,
})
