import type { TaskHandle } from '@taskledger/core'
import { calls } from '@taskledger/test-kit/faults'
import { expect, it } from 'vitest'
import { VirtualCluster } from '../virtual-cluster.ts'

const front = { worker: false } as const

it('the tasks of a killed node run again within 30 seconds although the janitor of some of them cannot act', async () => {
  await using cluster = new VirtualCluster()
  const victim = await cluster.node({ worker: { slots: 12 } })
  const unable = await cluster.node(front)
  await cluster.advance(30_000)
  const tasks: TaskHandle<unknown, unknown>[] = []
  for (let index = 0; index < 12; index++) {
    // Another cohort, so another shard.
    await cluster.advance(1_000)
    tasks.push((await cluster.start(victim))[0])
  }
  await cluster.node({ worker: { slots: 12 } })
  await cluster.advance(20_000)
  unable.faults.fail('before', calls('events'))
  await victim.kill()
  const took = await cluster.until('all tasks run again', () => tasks.every((task) => cluster.find(task, 2) !== undefined))
  expect(took).toBeLessThan(30_000)
  // The node that could not act declared nothing: another node did its part.
  const declared = await Promise.all(tasks.map(async (task) => (await cluster.history(task))[2]?.node))
  expect(new Set(declared).size).toBe(1)
  expect(declared).not.toContain(unable.id)
})
