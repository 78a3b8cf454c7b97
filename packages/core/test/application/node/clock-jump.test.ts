import { defineTask } from '@taskledger/core'
import { expect, it } from 'vitest'
import { VirtualCluster } from '../virtual-cluster.ts'

it.each([3_600_000, -3_600_000])('a submit survives a clock that jumps by %i ms while the submit is retried', async (jumpMs) => {
  await using cluster = new VirtualCluster()
  const noop = defineTask({ type: 'noop', run: () => {} })
  const { manager, process, faults } = await cluster.node({ tasks: [noop], worker: false })
  let tries = 0
  faults.fail('before', ({ name }) => {
    if (name !== 'events.append' || ++tries > 3) return false
    if (tries === 2) process.skewMs = jumpMs
    return true
  })
  const submitted = manager.submit(noop).then(
    () => 'submitted',
    (error: unknown) => error,
  )
  const outcome = Promise.race([submitted, cluster.clock.sleep(20_000)])
  await cluster.advance(20_000)
  expect(await outcome).toBe('submitted')
})
