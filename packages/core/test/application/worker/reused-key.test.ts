import { defineTask, unchecked } from '@taskledger/core'
import { expect, it } from 'vitest'
import { VirtualCluster } from '../virtual-cluster.ts'

it('a message that outlived its task does not start a new task of the same key', async () => {
  await using cluster = new VirtualCluster()
  const ran: string[] = []
  const shout = defineTask({
    type: 'shout',
    payload: unchecked<string>(),
    run: ({ payload }) => {
      ran.push(payload)
      return payload.toUpperCase()
    },
  })
  const { manager, client } = await cluster.node({ tasks: [shout] })
  const old = await manager.submit(shout, 'old', { idempotencyKey: 'key' })
  await cluster.advance(1_000)
  const [created] = await cluster.history(old)
  if (created?.type !== 'TaskCreated') throw new Error('it has to begin with its creation')
  await manager.purge({ finishedBefore: cluster.clock.now() })
  manager.worker?.pause()
  const again = await manager.submit(shout, 'new', { idempotencyKey: 'key' })
  await cluster.loseMessages()
  // A copy of the old message arrives late: a broker may deliver twice, and a janitor may resend a message that was not lost.
  await client.messaging.queue.send('default', { taskId: old.id, version: 1, sentAt: created.at, created })
  manager.worker?.resume()
  await cluster.advance(1_000)
  expect(again.id).toBe(old.id)
  expect(ran).toEqual(['old', 'new'])
  expect((await cluster.history(again)).at(-1)).toMatchObject({ type: 'TaskCompleted', result: 'NEW' })
})
