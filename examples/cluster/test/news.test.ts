import type { TaskNotice } from '@taskledger/core'
import { describe, expect, it } from 'vitest'
import type { Cluster } from '../src/cluster/cluster.ts'
import { newsOf } from '../src/run/news.ts'

const cluster = {
  mailboxOf: (taskId: string) => (taskId === 'known' ? { name: 'club.mbox' } : undefined),
  nameOf: (nodeId: string) => `the worker ${nodeId}`,
} as unknown as Cluster

const textOf = (notice: Partial<TaskNotice>, diedOn?: string): string | undefined =>
  newsOf(cluster, { taskId: 'known', version: 3, type: 'TaskDied', status: 'waiting', node: 'observer', ...notice } as TaskNotice, diedOn)

describe('the news', () => {
  it('name the node that died, not the node that found it dead, and say whether the task runs again', () => {
    expect(textOf({}, 'n1')).toBe('club.mbox: the worker n1 died while it ran; it runs again')
    expect(textOf({ status: 'died' }, 'n1')).toBe('club.mbox: the worker n1 died while it ran; it does not run again')
    expect(textOf({})).toBe('club.mbox: its worker died while it ran; it runs again')
  })

  it('have no text for a task that is not known yet', () => {
    expect(textOf({ taskId: 'unknown' as TaskNotice['taskId'] })).toBeUndefined()
  })
})
