import type { TaskCreated, TaskId, TaskReleased, TaskStarted } from '@taskledger/core/ports'
import { defaultRetryPolicy } from '@taskledger/core/ports'

export const taskIdOf = (number: number): TaskId => `0190c0de-0000-7000-8000-${String(number).padStart(12, '0')}` as TaskId

export const created = (taskId: TaskId, eventId: string, payload = 'Grüße\tund\nmehr'): TaskCreated => ({
  type: 'TaskCreated',
  taskId,
  version: 1,
  eventId,
  at: 1_000,
  node: 'node-a',
  task: { type: 'reindex', version: 1, payload },
  queue: 'default',
  retry: defaultRetryPolicy,
  labels: [],
})

export const started = (taskId: TaskId, version: number, eventId: string): TaskStarted => ({
  type: 'TaskStarted',
  taskId,
  version,
  eventId,
  at: 2_000,
  node: 'node-b',
  attempt: 1,
})

export const released = (taskId: TaskId, version: number, eventId: string): TaskReleased => ({
  type: 'TaskReleased',
  taskId,
  version,
  eventId,
  at: 3_000,
  node: 'node-b',
  attempt: 1,
})
