import { storageCalls } from '@taskledger/test-kit/faults'
import { describe, expect, it } from 'vitest'
import { VirtualCluster } from '../virtual-cluster.ts'

describe('a node that shuts down under load', () => {
  it('takes nothing more, waits for its runs, and hands back the rest: every task runs once', async () => {
    await using cluster = new VirtualCluster()
    const leaving = await cluster.node({ worker: { slots: 10, drainMs: 5_000, cancelGraceMs: 1_000 } })
    const tasks = await leaving.manager.submitMany(
      cluster.held().task,
      Array.from({ length: 40 }, (_, index) => index),
    )
    await cluster.advance(0)
    expect(cluster.runs).toHaveLength(10)
    const other = await cluster.node({ worker: { slots: 100 } })
    await cluster.advance(0)
    expect(cluster.runs).toHaveLength(40)
    const closed = leaving.manager.close({ drainMs: 5_000 })
    const own = cluster.runs.filter(({ node }) => node === 'a')
    for (const body of own.slice(0, 5)) body.return('in time')
    await cluster.advance(4_900)
    // A draining node is alive and holds its lease.
    expect((await cluster.storage.nodes.live()).map(({ nodeId }) => nodeId).sort()).toEqual([leaving.id, other.id].sort())
    const late = await other.manager.submit(cluster.held().task, 'late')
    await cluster.advance(1_000)
    await closed
    expect(await cluster.storage.nodes.live()).toMatchObject([{ nodeId: other.id }])
    for (const body of cluster.runs.filter(({ node }) => node === 'b')) body.return('elsewhere')
    await cluster.advance(1_000)
    for (const task of [...tasks, late]) expect(await cluster.row(task)).toMatchObject({ status: 'completed' })
    const released = (await Promise.all(tasks.map((task) => cluster.eventTypes(task)))).filter((told) => told.includes('Released'))
    expect(released).toHaveLength(5)
    expect(cluster.runs).toHaveLength(46)
    expect(cluster.depth()).toBe(0)
  })

  it('and is killed meanwhile leaves tasks that others recover', async () => {
    await using cluster = new VirtualCluster()
    const leaving = await cluster.node({ worker: { slots: 10, drainMs: 60_000 } })
    const tasks = await leaving.manager.submitMany(cluster.held().task, [1, 2, 3, 4])
    const later = await leaving.manager.submit(cluster.held().task, null, { notBefore: cluster.clock.now() + 1_000 })
    await cluster.advance(0)
    await cluster.node({ worker: { slots: 10 } })
    void leaving.manager.close({ drainMs: 60_000 })
    await cluster.advance(500)
    await leaving.kill()
    await cluster.until(
      'all tasks run again',
      () => tasks.every((task) => cluster.find(task, 2) !== undefined) && cluster.find(later) !== undefined,
      45_000,
    )
    for (const task of tasks) expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Died', 'Started'])
  })

  it('while the store is down leaves tasks that others recover', async () => {
    await using cluster = new VirtualCluster()
    const leaving = await cluster.node()
    const [task] = await cluster.start(leaving)
    await cluster.node()
    leaving.faults.fail('before', storageCalls)
    const closed = leaving.manager.close({ drainMs: 0 })
    await cluster.advance(30_000)
    await closed
    expect(await cluster.untilRunning(task, 2, 30_000)).toBeLessThan(20_000)
  })
})
