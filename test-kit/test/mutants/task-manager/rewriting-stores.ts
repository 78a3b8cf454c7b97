import type { TaskEvent } from '@taskledger/core/ports'
import type { Breakage, Mutant } from './broken-harness.ts'
import { stateless } from './broken-harness.ts'
import { without } from './without.ts'

const rewriting = (rewrite: (event: TaskEvent) => TaskEvent): Breakage =>
  stateless({
    'events.append': (next, taskId, expectedVersion, events, options) => next(taskId, expectedVersion, events.map(rewrite), options),
  })

/** Stores that change events when they are written. */
export const rewritingStores: readonly Mutant[] = [
  {
    name: 'a store that drops the code of errors',
    breakage: rewriting((event) =>
      'error' in event && event.error !== undefined ? { ...event, error: without('code')(event.error) } : event,
    ),
    fails: ['TM-1.5', 'TM-3.22', 'TM-3.24', 'TM-4.4', 'TM-4.7'],
    holds: ['TM-1.4', 'TM-4.2'],
  },
  {
    name: 'a store that drops the last progress',
    breakage: rewriting(without('progress')),
    fails: ['TM-1.12', 'TM-1.13', 'TM-1.14', 'TM-2.6', 'TM-4.3', 'TM-5.9'],
    holds: ['TM-1.11', 'TM-3.18'],
  },
  {
    name: 'a store that drops results',
    breakage: rewriting(without('result')),
    fails: ['TM-1.4', 'TM-1.8', 'TM-1.9', 'TM-2.7', 'TM-3.1', 'TM-3.10', 'TM-3.11', 'TM-3.13', 'TM-4.5', 'TM-4.13', 'TM-5.11'],
    holds: ['TM-1.1', 'TM-2.1', 'TM-5.2'],
  },
  {
    name: 'a store that drops reasons',
    breakage: rewriting(without('reason')),
    fails: ['TM-2.1', 'TM-2.3', 'TM-2.5'],
    holds: ['TM-2.2', 'TM-3.3'],
  },
  {
    name: 'a store that drops who requested the cancellation',
    breakage: rewriting((event) => ('by' in event ? { ...event, by: 'nobody' } : event)),
    fails: ['TM-2.1', 'TM-3.3'],
    holds: ['TM-2.2', 'TM-2.4'],
  },
  {
    name: 'a store that names another node',
    breakage: rewriting((event) => ({ ...event, node: 'nobody' })),
    fails: ['TM-1.1', 'TM-1.3', 'TM-1.4', 'TM-1.15', 'TM-3.1', 'TM-3.3', 'TM-3.18', 'TM-3.20', 'TM-3.22'],
    holds: ['TM-1.5', 'TM-2.1'],
  },
  {
    name: 'a store that normalises text',
    breakage: rewriting((event) => JSON.parse(JSON.stringify(event).normalize('NFC')) as TaskEvent),
    fails: ['TM-1.4'],
    holds: ['TM-1.1', 'TM-1.5'],
  },
  {
    name: 'a store that forgets when a task is due',
    breakage: rewriting((event) =>
      event.type === 'TaskFailed' && event.retryAt !== undefined ? { ...event, retryAt: event.at } : without('notBefore')(event),
    ),
    fails: ['TM-4.1', 'TM-4.6'],
    holds: ['TM-4.2', 'TM-4.3'],
  },
  {
    name: 'a store that allows one attempt too many',
    breakage: rewriting((event) =>
      event.type === 'TaskCreated' ? { ...event, retry: { ...event.retry, maxAttempts: event.retry.maxAttempts + 1 } } : event,
    ),
    fails: ['TM-4.2', 'TM-4.4'],
    holds: ['TM-4.1', 'TM-4.7'],
  },
  {
    name: 'a store that allows no second attempt',
    breakage: rewriting((event) => (event.type === 'TaskCreated' ? { ...event, retry: { ...event.retry, maxAttempts: 1 } } : event)),
    fails: ['TM-4.1', 'TM-4.2', 'TM-4.3'],
    holds: ['TM-1.5', 'TM-3.18'],
  },
  {
    name: 'a store that drops timeouts',
    breakage: rewriting(without('timeoutMs')),
    fails: ['TM-4.4'],
    holds: ['TM-1.4'],
  },
  {
    name: 'a store that drops labels',
    breakage: rewriting((event) => (event.type === 'TaskCreated' ? { ...event, labels: [] } : event)),
    fails: ['TM-1.1', 'TM-4.13'],
    holds: ['TM-1.4'],
  },
  {
    name: 'a store that forgets that a run was abandoned',
    breakage: rewriting(without('abandoned')),
    fails: ['TM-2.6'],
    holds: ['TM-2.7'],
  },
  {
    name: 'a store that says that every payload is of version 1',
    breakage: rewriting((event) => (event.type === 'TaskCreated' ? { ...event, task: { ...event.task, version: 1 } } : event)),
    fails: ['TM-3.23'],
    holds: ['TM-1.4', 'TM-3.21'],
  },
]
