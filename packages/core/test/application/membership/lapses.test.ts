import { codeOf } from '@taskledger/core'
import { calls, storageCalls } from '@taskledger/test-kit/faults'
import type { ClusterNode } from '@taskledger/test-kit/faults'
import { describe, expect, it } from 'vitest'
import { VirtualCluster } from '../virtual-cluster.ts'

const lines = (node: ClusterNode, part: string): number => node.logged.filter(({ message }) => message.includes(part)).length

/** The process of the node stands still: it is frozen, or its event loop is blocked. */
const standStill = async (cluster: VirtualCluster, node: ClusterNode, ms: number): Promise<void> => {
  node.process.freeze()
  await cluster.advance(ms)
  node.process.thaw()
  await cluster.advance(0)
}

describe('a node without peers whose process stood still', () => {
  it.each([16_000, 3_600_000])('for %i ms keeps its tasks, says so, and takes tasks again', async (ms) => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    const [task, body] = await cluster.start(node)
    await cluster.advance(6_000)
    await standStill(cluster, node, ms)
    await cluster.advance(20_000)
    expect(body.signal.aborted).toBe(false)
    expect([lines(node, 'stood still: the process'), lines(node, 'kept the running tasks'), lines(node, 'stops its tasks')]).toEqual([
      1, 1, 0,
    ])
    const [late] = await cluster.start(node)
    cluster.run(late).return()
    body.return('done')
    await cluster.advance(0)
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Completed'])
  })

  it('keeps a task whose body reports progress before any timer has run', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    const [, body] = await cluster.start(node)
    node.process.freeze()
    await cluster.advance(20_000)
    body.progress('still here')
    expect(body.signal.aborted).toBe(false)
    node.process.thaw()
    await cluster.advance(10_000)
    expect(body.signal.aborted).toBe(false)
    body.return()
  })

  it('stops its tasks if another node is there by then', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    const [task, body] = await cluster.start(node)
    await cluster.advance(6_000)
    node.process.freeze()
    await cluster.advance(14_000)
    const other = await cluster.node({ worker: false })
    await cluster.advance(2_000)
    node.process.thaw()
    await cluster.advance(0)
    expect(codeOf(body.signal.reason)).toBe('LEASE_LOST')
    await other.manager.close()
    await cluster.untilRunning(task, 2)
    expect(await cluster.history(task)).toMatchObject([{}, {}, { type: 'TaskReleased', reason: 'leaseLost' }, {}])
    cluster.run(task, 2).return()
  })

  it('stops a task that another node ended, which came and went meanwhile', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node({ held: { retry: { maxCrashes: 0 } } })
    const [task, body] = await cluster.start(node, cluster.held({ retry: { maxCrashes: 0 } }))
    await cluster.advance(6_000)
    node.faults.dropsNotice = () => true
    node.process.freeze()
    const other = await cluster.node({ worker: false })
    await cluster.status(task, 'died', other)
    await other.manager.close()
    node.process.thaw()
    await cluster.advance(0)
    expect(codeOf(body.signal.reason)).toBe('ATTEMPT_LOST')
  })

  it('stops its tasks if it cannot renew its lease then', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    const [, body] = await cluster.start(node)
    await cluster.advance(6_000)
    node.faults.fail('before', storageCalls)
    await standStill(cluster, node, 20_000)
    await cluster.advance(1_000)
    expect(codeOf(body.signal.reason)).toBe('LEASE_LOST')
    node.faults.heal()
    await cluster.advance(20_000)
  })
})

describe('a node without peers that cannot reach the registry', () => {
  it('stops its tasks when its lease is over, uncounted: another node may start at any time', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    const [task, body] = await cluster.start(node)
    node.faults.fail('before', calls('nodes.renew'))
    await cluster.advance(15_100)
    expect(codeOf(body.signal.reason)).toBe('LEASE_LOST')
    node.faults.heal()
    await cluster.untilRunning(task, 2)
    expect((await cluster.history(task))[2]).not.toHaveProperty('reason')
    expect(await task.details()).not.toHaveProperty('crashes')
    cluster.run(task, 2).return()
  })
})

describe('a body that blocks the event loop of its node until the lease is lost', () => {
  it('is released and counted, and ends as died after maxCrashes, with the reason in details and log', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    await cluster.node({ worker: false })
    await cluster.advance(6_000)
    const task = await node.manager.submit(cluster.held().task, null)
    for (let attempt = 1; attempt <= 4; attempt++) {
      await cluster.untilRunning(task, attempt)
      // Just after a renewal, and for just so long that no node declares it dead before it wakes.
      const renewals = (): number => node.calls.filter(({ name }) => name === 'nodes.renew').length
      const before = renewals()
      await cluster.until('the lease is renewed', () => renewals() > before)
      await standStill(cluster, node, 15_400)
    }
    await cluster.until('the task ends', async () => (await task.details()).status === 'died', 1_000)
    const released = ['Released', 'Started', 'Released', 'Started', 'Released', 'Started']
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', ...released, 'Died'])
    const { error, ...details } = await task.details()
    expect(details).toMatchObject({ status: 'died', attempt: 4, crashes: 4, node: node.id })
    expect(error?.message).toContain('does the body block the event loop?')
    const { level, fields } = node.logged.find(({ message }) => message.startsWith('ended a task as died')) ?? {}
    expect([level, fields]).toMatchObject(['error', { taskId: task.id, type: 'held', attempt: 4, node: node.id, crashes: 4 }])
    await cluster.advance(120_000)
    expect(cluster.runs).toHaveLength(4)
  })
})
