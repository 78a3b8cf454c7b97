import { defineTask } from '@taskledger/core'
import type { SubmitOptions } from '@taskledger/core'
import type { TaskId } from '@taskledger/core/ports'
import { calls, storageCalls } from '@taskledger/test-kit/faults'
import { describe, expect, it } from 'vitest'
import type { ClusterNode } from '@taskledger/test-kit/faults'
import { VirtualCluster } from '../virtual-cluster.ts'

const front = { worker: false } as const

/** Well under the five minutes after which a full sweep reads everything anyway. */
const soonMs = 60_000

/** A task that ran on a node that has died since. Every janitor has looked at the tasks of that node, when no row said so yet. */
const overlooked = async (
  cluster: VirtualCluster,
  submitter: ClusterNode,
  options: SubmitOptions = {},
): Promise<{ readonly id: TaskId }> => {
  const victim = await cluster.node()
  const heir = await cluster.node()
  heir.manager.worker?.pause()
  await cluster.advance(20_000)
  victim.faults.fail('before', calls('listing.save'))
  submitter.manager.submit(cluster.held().task, null, options).catch(() => {})
  await cluster.until('the task runs', () => cluster.runs.length === 1)
  await victim.kill()
  await cluster.advance(22_000)
  // Its death, too, makes every janitor look.
  await submitter.kill()
  await cluster.advance(40_000)
  heir.manager.worker?.resume()
  return { id: cluster.runs[0]?.taskId as TaskId }
}

describe('a row that is saved only after its node has died', () => {
  it('is repaired by a node that submits the task again', async () => {
    await using cluster = new VirtualCluster()
    const submitter = await cluster.node(front)
    const again = await cluster.node(front)
    submitter.faults.fail('before', calls('listing.save'))
    const key = { idempotencyKey: 'one' }
    const task = await overlooked(cluster, submitter, key)
    expect(await cluster.row(task)).toBe(undefined)
    await again.manager.submit(cluster.held().task, null, key)
    expect(await cluster.row(task)).toMatchObject({ status: 'inProgress' })
    await cluster.untilRunning(task, 2, soonMs)
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Died', 'Started'])
  })

  it('is repaired by a node that gets its message again', async () => {
    await using cluster = new VirtualCluster()
    const submitter = await cluster.node(front)
    submitter.faults.fail('before', calls('listing.save'))
    const task = await overlooked(cluster, submitter)
    const { messaging } = (await cluster.node(front)).client
    await messaging.queue.send('default', { taskId: task.id, version: 1, sentAt: cluster.clock.now() })
    await cluster.untilRunning(task, 2, soonMs)
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Died', 'Started'])
  })

  it('is repaired by a node that rebuilds the listing', async () => {
    await using cluster = new VirtualCluster()
    const submitter = await cluster.node(front)
    const again = await cluster.node(front)
    submitter.faults.fail('before', calls('listing.save'))
    const task = await overlooked(cluster, submitter)
    await again.manager.rebuildListing()
    await cluster.untilRunning(task, 2, soonMs)
  })

  it('is repaired by a node that cancels the task', async () => {
    await using cluster = new VirtualCluster()
    const submitter = await cluster.node(front)
    const again = await cluster.node(front)
    submitter.faults.fail('before', calls('listing.save'))
    const task = await overlooked(cluster, submitter)
    expect(await again.manager.task(task.id).cancel()).toMatchObject({ outcome: 'requested' })
    await cluster.until('the task is cancelled', async () => (await cluster.row(task))?.status === 'cancelled', soonMs)
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'CancelRequested', 'Died', 'Cancelled'])
  })
})

describe('a row that names a living node whose attempt was ended elsewhere', () => {
  it('is repaired by that node if the node that ended the attempt died before', async () => {
    await using cluster = new VirtualCluster()
    const cutOff = await cluster.node()
    const judge = await cluster.node(front)
    await cluster.advance(20_000)
    const [task] = await cluster.start(cutOff)
    cutOff.faults.fail('before', storageCalls)
    judge.faults.fail('after', ({ name }) => {
      if (name === 'events.append') void judge.kill()
      return false
    })
    await cluster.until('the node is declared dead', async () => (await cluster.eventTypes(task)).includes('Died'))
    cutOff.faults.heal()
    await cluster.untilRunning(task, 2, soonMs)
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Died', 'Started'])
  })
})

describe('a node that started and died while another node did not see the registry', () => {
  it('has its tasks run again as soon, in every shard', async () => {
    await using cluster = new VirtualCluster()
    const blind = [await cluster.node(front), await cluster.node(front)]
    await cluster.advance(40_000)
    for (const node of blind) node.faults.fail('before', calls('nodes'))
    const victim = await cluster.node()
    const [task] = await cluster.start(victim)
    await victim.kill()
    await cluster.advance(25_000)
    for (const node of blind) node.faults.heal()
    await cluster.node()
    await cluster.untilRunning(task, 2, soonMs)
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Died', 'Started'])
  })
})

describe('a submit that was not acknowledged', () => {
  it('leaves a task that is listed as soon as the listing accepts its row', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node(front)
    node.faults.fail('before', calls('listing.save'))
    const later = defineTask({ type: 'held', run: () => {} })
    const submitted = node.manager.submit(later, undefined, { notBefore: cluster.clock.now() + 3_600_000 }).catch((error: unknown) => error)
    await cluster.advance(60_000)
    const { taskId } = (await submitted) as { readonly taskId: TaskId }
    expect(await cluster.row({ id: taskId })).toBe(undefined)
    node.faults.heal()
    await cluster.until('the task is listed', async () => (await cluster.row({ id: taskId })) !== undefined)
  })
})
