import { randomUUID } from 'node:crypto'
import type { TaskCreated, TaskId, TaskStarted } from '@taskledger/core/ports'
import { defaultRetryPolicy } from '@taskledger/core/ports'

/** The ids of tasks that share a new cohort. */
export const cohortIds = (tasks: number): readonly TaskId[] => {
  const time = Date.now().toString(16).padStart(12, '0')
  const rest = randomUUID().slice(15, -4)
  return Array.from({ length: tasks }, (_, index) => {
    const number = index.toString(16).padStart(4, '0')
    return `${time.slice(0, 8)}-${time.slice(8)}-7${rest}${number}` as TaskId
  })
}

export const oneId = (): TaskId => cohortIds(1)[0] as TaskId

export const created = (taskId: TaskId, more: Partial<TaskCreated> = {}): TaskCreated => ({
  type: 'TaskCreated',
  taskId,
  version: 1,
  eventId: randomUUID(),
  at: 1_700_000_000_000,
  node: 'node-1',
  task: { type: 'sample', version: 1, payload: {} },
  queue: 'default',
  retry: defaultRetryPolicy,
  labels: [],
  ...more,
})

export const started = (taskId: TaskId, version = 2): TaskStarted => ({
  type: 'TaskStarted',
  taskId,
  version,
  eventId: randomUUID(),
  at: 1_700_000_000_001,
  node: 'node-1',
  attempt: version - 1,
})
