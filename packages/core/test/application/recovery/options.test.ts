import { createTaskManager, defineTask } from '@taskledger/core'
import type { TaskManagerOptions } from '@taskledger/core'
import { describe, expect, it } from 'vitest'

const task = defineTask({ type: 'sample', run: () => {} })

describe('options of recovery', () => {
  it.each<[string, Partial<TaskManagerOptions>]>([
    ['lease.renewMs is 1', { lease: { renewMs: 1 } }],
    ['lease.renewMs is NaN', { lease: { renewMs: Number.NaN } }],
    ['give a ttlMs of at least twice renewMs', { lease: { renewMs: 8_000 } }],
    ['lease.ttlMs is -1', { lease: { ttlMs: -1 } }],
    ['janitor.intervalMs is 0', { janitor: { intervalMs: 0 } }],
    ['janitor.overdueMs is Infinity', { janitor: { overdueMs: Infinity } }],
    ['retention.finishedMs is -5', { retention: { finishedMs: -5 } }],
  ])('that make no sense are refused before anything is opened: %s', async (message, options) => {
    await expect(createTaskManager({ tasks: [task], ...options })).rejects.toThrow(message)
  })

  it('say what becomes of a body whose node loses its lease', () => {
    expect(() => defineTask({ type: 'sample', onLeaseLost: 'ignore' as never, run: () => {} })).toThrow(
      'onLeaseLost is "ignore": give "abort" or "finish"',
    )
  })
})
