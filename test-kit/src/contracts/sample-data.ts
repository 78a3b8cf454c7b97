import { randomUUID } from 'node:crypto'
import type { JsonValue, TaskCreated, TaskEvent, TaskId, TaskStarted } from '@taskledger/core/ports'
import { defaultRetryPolicy } from '@taskledger/core/ports'

/** A fresh task id (version 7, as `submit` draws it). */
export const freshTaskId = (): TaskId => {
  const random = randomUUID()
  const time = Date.now().toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(15)}` as TaskId
}

/** A new well-formed task id, drawn from the seed. */
export const drawTaskId = (random: () => number): TaskId => {
  const hex = (digits: number): string => Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('')
  return `${hex(8)}-${hex(4)}-7${hex(3)}-8${hex(3)}-${hex(12)}` as TaskId
}

/** Values that engines tend to change. */
export const awkwardValues: Readonly<Record<string, JsonValue>> = {
  null: null,
  empty: { text: '', list: [], object: {} },
  unicode: 'grüße 😀 日本語 \u0000 \u001f \u2028 \uffff e\u0301',
  nested: { a: [{ b: [[{ c: [1, [2, [3]]] }]] }], '': 'empty key', 'dotted.key $ "quoted"': true },
  numbers: [0, -1, 1.5, 1e21, 5e-324, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
  likeOtherThings: ['null', 'true', '2024-01-01T00:00:00Z', '{"a":1}', 'undefined'],
}

/** A payload of 256 KiB as JSON, the default limit of a manager. */
export const largestPayload: JsonValue = 'x'.repeat(256 * 1024 - 2)

let events = 0

/** The fields of every sample event. */
export const eventBase = (taskId: TaskId, version: number) => ({
  taskId,
  version,
  eventId: `sample.${randomUUID()}.${events++}`,
  at: 1_700_000_000_000 + version,
  node: 'sample-node',
})

export const createdEvent = (taskId: TaskId, payload: JsonValue = { mailbox: 'inbox' }): TaskCreated => ({
  type: 'TaskCreated',
  ...eventBase(taskId, 1),
  task: { type: 'sample', version: 1, payload },
  queue: 'default',
  retry: defaultRetryPolicy,
  labels: ['sample'],
})

export const startedEvent = (taskId: TaskId, version: number, attempt = 1): TaskStarted => ({
  type: 'TaskStarted',
  ...eventBase(taskId, version),
  attempt,
})

/** One event of every type, with every field that it may have, at versions 1 to 8. */
export const everyEvent = (taskId: TaskId): readonly TaskEvent[] => {
  const progress = { attempt: 1, sequence: 7, at: 1_700_000_000_500, value: { done: 7 } }
  const error = { name: 'Error', message: 'it broke', stack: 'Error: it broke\n    at somewhere', code: 'BROKEN' }
  const full: TaskCreated = {
    ...createdEvent(taskId),
    timeoutMs: 5_000,
    notBefore: 1_700_000_000_000,
    idempotencyKey: 'key',
    retryOf: freshTaskId(),
  }
  return [
    full,
    startedEvent(taskId, 2),
    { type: 'TaskReleased', ...eventBase(taskId, 3), attempt: 1 },
    { type: 'TaskFailed', ...eventBase(taskId, 4), attempt: 2, error, progress, retryAt: 1_700_000_001_000 },
    { type: 'TaskDied', ...eventBase(taskId, 5), attempt: 3, diedOn: 'other-node', retryAt: 1_700_000_001_000 },
    { type: 'TaskCancelRequested', ...eventBase(taskId, 6), by: 'somebody', reason: 'enough' },
    { type: 'TaskCancelled', ...eventBase(taskId, 7), attempt: 4, abandoned: true, error, progress },
    { type: 'TaskCompleted', ...eventBase(taskId, 8), attempt: 5, result: { messages: 42 }, progress },
  ]
}
