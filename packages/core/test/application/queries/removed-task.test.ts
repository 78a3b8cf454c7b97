import { calls } from '@taskledger/test-kit/faults'
import { expect, it } from 'vitest'
import { VirtualCluster } from '../virtual-cluster.ts'

it('a wait for a task that ends and is removed while the node cannot read the store fails with TASK_NOT_FOUND', async () => {
  await using cluster = new VirtualCluster()
  const [waiting, worker] = [await cluster.node({ worker: false }), await cluster.node()]
  const [task, run] = await cluster.start(worker)
  const outcome = waiting.manager
    .task(task.id)
    .finished()
    .catch((error: unknown) => error)
  await cluster.advance(1_000)
  const heal = waiting.faults.fail('before', calls('events.read'))
  run.return()
  await cluster.advance(60_000)
  expect(await worker.manager.purge({ finishedBefore: cluster.clock.now() })).toMatchObject({ removed: 1 })
  heal()
  // The next poll reads the history again.
  await cluster.advance(60_000)
  expect(await outcome).toMatchObject({ code: 'TASK_NOT_FOUND' })
})
