import type { TaskNotice } from '@taskledger/core'
import { describe, expect, it } from 'vitest'
import type { Cluster } from '../src/cluster.ts'
import { newsOf } from '../src/news.ts'

const cluster = {
  mailboxOf: (taskId: string) => (taskId === 'known' ? { name: 'club.mbox' } : undefined),
  nameOf: (nodeId: string) => `the worker ${nodeId}`,
} as unknown as Cluster

const textOf = (notice: Partial<TaskNotice>, diedOn?: string): string | undefined =>
  newsOf(cluster, { taskId: 'known', version: 3, type: 'TaskDied', status: 'waiting', node: 'judge', ...notice } as TaskNotice, diedOn)

describe('the news', () => {
  it('name the node that went, not the one that found it gone, and say whether the task is tried again', () => {
    expect(textOf({}, 'n1')).toBe('club.mbox: the worker n1 went while it ran; it is tried again')
    expect(textOf({ status: 'died' }, 'n1')).toBe('club.mbox: the worker n1 went while it ran; it is not tried again')
    expect(textOf({})).toBe('club.mbox: its worker went while it ran; it is tried again')
  })

  it('are none of a task that is not known yet', () => {
    expect(textOf({ taskId: 'unknown' as TaskNotice['taskId'] })).toBeUndefined()
  })
})
