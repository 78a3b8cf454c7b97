import type { TaskFilter } from '@taskledger/core/ports'
import { describe, expect, it } from 'vitest'
import { facetsOf, planOf } from '../../../src/listing/tables/facets.ts'
import { detailsWith } from '../samples.ts'

describe('the facets of a task', () => {
  it('are that of every task, its type, each label once, and its node', () => {
    const details = detailsWith({ labels: ['red', 'red', ''], node: 'worker-1', status: 'inProgress' })
    expect(facetsOf(details)).toEqual(['', 'type:reindex', 'label:red', 'label:', 'node:worker-1'])
  })

  it('include a status only if it is final', () => {
    expect(facetsOf(detailsWith({ status: 'waiting' }))).toEqual(['', 'type:reindex'])
    expect(facetsOf(detailsWith({ status: 'failed' }))).toEqual(['', 'type:reindex', 'status:failed'])
  })

  it('of different kinds do not collide', () => {
    expect(facetsOf(detailsWith({ type: 'label:red' }))).toEqual(['', 'type:label:red'])
  })
})

describe('a list is read', () => {
  const cases: readonly (readonly [TaskFilter, readonly string[] | 'running' | 'unfinished'])[] = [
    [{}, ['']],
    [{ type: 'reindex' }, ['type:reindex']],
    [{ label: 'red', type: 'reindex', statuses: ['waiting'], node: 'worker-1' }, ['label:red']],
    [{ node: 'worker-1', type: 'reindex' }, ['node:worker-1']],
    [{ node: 'worker-1', statuses: ['failed'] }, ['node:worker-1']],
    [{ node: 'worker-1', statuses: ['inProgress'] }, 'running'],
    [{ statuses: ['cancelRequested', 'inProgress'] }, 'running'],
    [{ statuses: ['waiting', 'inProgress'], type: 'reindex' }, 'unfinished'],
    [{ statuses: ['failed', 'died', 'failed'], type: 'reindex' }, ['status:failed', 'status:died']],
    [{ statuses: ['completed', 'failed', 'cancelled', 'died'] }, ['']],
    [{ statuses: ['completed', 'waiting'] }, ['']],
    [{ statuses: ['completed', 'waiting'], type: 'reindex' }, ['type:reindex']],
  ]
  it.each(cases)('by %j through %j', (filter, way) => {
    const facet = way === 'running' ? 'running' : ''
    expect(planOf(filter)).toEqual(typeof way === 'string' ? { type: 'unfinished', facet } : { type: 'facets', facets: way })
  })
})
