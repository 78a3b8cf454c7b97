import type { Clock, NodeInfo } from '@taskledger/core/ports'
import { systemClock } from '@taskledger/core/ports'
import { createMemory } from '@taskledger/memory'
import { expect, test } from 'vitest'

const node: NodeInfo = { nodeId: 'a-1', name: 'a', startedAt: 0, renewedAt: 0, queues: { default: 2 }, running: 0, delivered: {} }

test('a node is alive until its ttl has passed, by the clock of the memory', async () => {
  let now = 1_000
  // The wall clock may be set: it does not count.
  const clock: Clock = { ...systemClock, elapsed: () => now }
  const memory = createMemory({ clock })
  const { nodes } = memory.storage()
  await nodes.renew(node, 500)
  now = 1_499
  expect(await nodes.live()).toEqual([node])
  await nodes.renew({ ...node, running: 1 }, 500)
  now = 1_998
  expect(await nodes.live()).toEqual([{ ...node, running: 1 }])
  now = 1_999
  expect(await nodes.live()).toEqual([])
  expect(memory.inspect().nodes).toBe(0)
})
