import type { TaskDetails, TaskFilter, TaskId } from '@taskledger/core/ports'
import { matches } from '@taskledger/core/ports'
import { expect, test } from 'vitest'

const details: TaskDetails = {
  taskId: '0190f2a4-0000-7000-8000-000000000001' as TaskId,
  type: 'reindex',
  typeVersion: 1,
  status: 'inProgress',
  version: 2,
  queue: 'default',
  labels: ['red', 'green'],
  createdAt: 1_000,
  createdOn: 'front-end',
  updatedAt: 2_000,
  attempt: 1,
  node: 'worker-1',
}

const matching: readonly TaskFilter[] = [
  {},
  { statuses: ['waiting', 'inProgress'] },
  { type: 'reindex' },
  { node: 'worker-1' },
  { label: 'green' },
  { since: 1_000 },
  { until: 1_001 },
  { statuses: ['inProgress'], type: 'reindex', node: 'worker-1', label: 'red', since: 0, until: 2_000 },
]

const other: readonly TaskFilter[] = [
  { statuses: [] },
  { statuses: ['waiting'] },
  { type: 'reindex-all' },
  { node: 'worker-2' },
  { label: 'blue' },
  { since: 1_001 },
  { until: 1_000 },
  { type: 'reindex', label: 'blue' },
]

test.for(matching)('%o matches', (filter) => {
  expect(matches(details, filter)).toBe(true)
})

test.for(other)('%o does not match', (filter) => {
  expect(matches(details, filter)).toBe(false)
})

test('a task without a node matches no node', () => {
  const { node: _node, ...waiting } = details
  expect(matches(waiting, { node: 'worker-1' })).toBe(false)
})
