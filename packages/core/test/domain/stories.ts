import type { TaskError } from '../../src/domain/task-event.ts'
import type { TaskId } from '../../src/domain/task-id.ts'
import { defaultRetryPolicy } from '../../src/domain/retry-policy.ts'
import type { EventDraft } from '../../src/testing/index.ts'

type CreatedDraft = EventDraft & { readonly type: 'TaskCreated' }

/** What tasks are made of in these tests. */
export const made: Omit<CreatedDraft, 'type'> = {
  task: { type: 'reindex', version: 1, payload: { mailbox: 'inbox' } },
  queue: 'default',
  retry: defaultRetryPolicy,
  labels: [],
}

export const created = (more: Partial<Omit<CreatedDraft, 'type'>> = {}): CreatedDraft => ({ type: 'TaskCreated', ...made, ...more })

export const started = (attempt: number): EventDraft & { readonly type: 'TaskStarted' } => ({ type: 'TaskStarted', attempt })

export const boom: TaskError = { name: 'Error', message: 'boom' }

export const cancelRequested: EventDraft = { type: 'TaskCancelRequested', by: 'ann' }

export const otherTask = '018cc251-f400-7000-8000-00000000000b' as TaskId

/** A history for each column of the table. */
export const nothing: readonly EventDraft[] = []
export const waiting: readonly EventDraft[] = [created()]
export const inProgress: readonly EventDraft[] = [created(), started(1)]
export const cancelling: readonly EventDraft[] = [created(), started(1), cancelRequested]
export const final: Readonly<Record<'completed' | 'failed' | 'cancelled' | 'died', readonly EventDraft[]>> = {
  completed: [...inProgress, { type: 'TaskCompleted', attempt: 1 }],
  failed: [...inProgress, { type: 'TaskFailed', attempt: 1, error: boom }],
  cancelled: [...cancelling, { type: 'TaskCancelled', attempt: 1 }],
  died: [...inProgress, { type: 'TaskDied', attempt: 1, diedOn: 'node-a' }],
}
export const finals: readonly [string, readonly EventDraft[]][] = Object.entries(final)
