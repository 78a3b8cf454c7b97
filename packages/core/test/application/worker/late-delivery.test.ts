import type { Delivery } from '@taskledger/core/ports'
import { outcomeUnknown } from '@taskledger/core/ports'
import { calls, never, onCalls } from '@taskledger/test-kit/faults'
import { describe, expect, it } from 'vitest'
import { VirtualCluster } from '../virtual-cluster.ts'

describe('a delivery that reaches a node whose lease is in doubt', () => {
  it('is handed back within the timeout of a call, even if the engine does not answer', async () => {
    await using cluster = new VirtualCluster()
    let handle: (delivery: Delivery) => Promise<void> = async () => {}
    const intercept = onCalls({
      'queue.consume'(next, queue, handler, options) {
        handle = handler
        return next(queue, handler, options)
      },
    })
    const { manager, faults } = await cluster.node({ intercept })
    faults.fail('before', calls('nodes.renew'), () => outcomeUnknown('a renewal'))
    await cluster.advance(10_000)
    expect(manager.health().lease.ok).toBe(false)

    const { id: taskId } = manager.task('018cc251-f400-7000-8000-000000000000')
    let isOver = false
    const settle = (): void => void (isOver = true)
    const message = { taskId, version: 1, sentAt: cluster.clock.now() }
    const unanswered = (): Promise<void> => never()
    handle({ message, redelivered: false, releases: 0, accept: unanswered, release: unanswered, reject: unanswered }).then(settle, settle)
    await cluster.advance(12_000)
    expect(isOver).toBe(true)
  })

  it('is handed back without counting: the node says nothing about whether the task can run', async () => {
    await using cluster = new VirtualCluster()
    let handle: (delivery: Delivery) => Promise<void> = async () => {}
    const intercept = onCalls({
      'queue.consume'(next, queue, handler, options) {
        handle = handler
        return next(queue, handler, options)
      },
    })
    const { manager } = await cluster.node({ intercept })
    manager.worker?.pause()
    const { id: taskId } = manager.task('018cc251-f400-7000-8000-000000000000')
    const released: unknown[] = []
    await handle({
      message: { taskId, version: 1, sentAt: cluster.clock.now() },
      redelivered: false,
      releases: 0,
      accept: async () => {},
      release: async (options) => void released.push(options?.isCounted),
      reject: async () => {},
    })
    expect(released).toEqual([false])
  })
})
