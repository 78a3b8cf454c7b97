import type { JsonValue, TaskNotice, TaskCreated, TaskDetails, TaskId, TaskStarted, WorkMessage } from '@taskledger/core/ports'
import { defaultRetryPolicy } from '@taskledger/core/ports'

export const taskIdOf = (number: number): TaskId => `0190c0de-0000-7000-8000-${String(number).padStart(12, '0')}` as TaskId

export const created = (number: number, payload: JsonValue = { mailbox: 'inbox' }): TaskCreated => ({
  type: 'TaskCreated',
  taskId: taskIdOf(number),
  version: 1,
  eventId: `created-${number}`,
  at: 1_000,
  node: 'node-a',
  task: { type: 'reindex', version: 1, payload },
  queue: 'default',
  retry: defaultRetryPolicy,
  labels: ['nightly'],
})

export const started = (number: number, eventId = `started-${number}`): TaskStarted => ({
  type: 'TaskStarted',
  taskId: taskIdOf(number),
  version: 2,
  eventId,
  at: 2_000,
  node: 'node-b',
  attempt: 1,
})

export const details = (number: number, more: Partial<TaskDetails> = {}): TaskDetails => ({
  taskId: taskIdOf(number),
  type: 'reindex',
  typeVersion: 1,
  status: 'waiting',
  version: 1,
  queue: 'default',
  labels: ['nightly'],
  createdAt: 1_000 + number,
  createdOn: 'node-a',
  updatedAt: 1_000 + number,
  attempt: 0,
  ...more,
})

export const message = (number: number): WorkMessage => ({ taskId: taskIdOf(number), version: 1, sentAt: 1_000 })

export const notice = (number: number): TaskNotice => ({
  taskId: taskIdOf(number),
  version: 1,
  type: 'TaskCreated',
  status: 'waiting',
  node: 'node-a',
})
