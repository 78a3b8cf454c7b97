import { createTaskManager, defineTask, silentLogger } from '@taskledger/core'
import type { Delivery } from '@taskledger/core/ports'
import { outcomeUnknown } from '@taskledger/core/ports'
import { virtualClock } from '@taskledger/core/testing'
import { createMemory } from '@taskledger/memory'
import { describe, expect, it } from 'vitest'

describe('a delivery that reaches a node whose lease is in doubt', () => {
  it('is given back within the bound of a call, even where the engine does not answer', async () => {
    const clock = virtualClock()
    const memory = createMemory({ clock, logger: silentLogger })
    const storage = memory.storage()
    const messaging = memory.messaging()
    let isAnswering = true
    let handle: (delivery: Delivery) => Promise<void> = async () => {}
    const manager = await createTaskManager({
      tasks: [defineTask({ type: 'nothing', run: () => {} })],
      clock,
      logger: silentLogger,
      storage: {
        ...storage,
        nodes: {
          capabilities: storage.nodes.capabilities,
          renew: async (node, ttlMs) => {
            if (!isAnswering) throw outcomeUnknown('a renewal')
            await storage.nodes.renew(node, ttlMs)
          },
          leave: (nodeId) => storage.nodes.leave(nodeId),
          live: () => storage.nodes.live(),
          close: () => storage.nodes.close(),
        },
      },
      messaging: {
        ...messaging,
        queue: {
          capabilities: messaging.queue.capabilities,
          send: (queue, message) => messaging.queue.send(queue, message),
          depth: (queue) => messaging.queue.depth(queue),
          consume: (queue, handler, options) => {
            handle = handler
            return messaging.queue.consume(queue, handler, options)
          },
          close: () => messaging.queue.close(),
        },
      },
    })
    isAnswering = false
    await clock.advance(10_000)
    expect(manager.health().lease.ok).toBe(false)

    const { id: taskId } = manager.task('018cc251-f400-7000-8000-000000000000')
    let isOver = false
    const settle = (): void => void (isOver = true)
    const message = { taskId, version: 1, sentAt: clock.now() }
    const unanswered = (): Promise<void> => new Promise(() => {})
    handle({ message, redelivered: false, releases: 0, accept: unanswered, release: unanswered, reject: unanswered }).then(settle, settle)
    await clock.advance(12_000)
    expect(isOver).toBe(true)

    const closed = manager.close({ drainMs: 0 })
    await clock.advance(60_000)
    await closed
  })
})
