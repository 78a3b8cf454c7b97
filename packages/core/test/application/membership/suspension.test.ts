import { storageCalls } from '@taskledger/test-kit/faults'
import type { ClusterNode } from '@taskledger/test-kit/faults'
import { describe, expect, it } from 'vitest'
import { VirtualCluster } from '../virtual-cluster.ts'

const hour = 3_600_000

/** The warnings and errors of a node. */
const told = ({ logged }: ClusterNode): readonly string[] =>
  logged.filter(({ level }) => level === 'warn' || level === 'error').map(({ message }) => message.split(':')[0] ?? '')

describe('a node on a suspended machine, whose monotone clock stood still', () => {
  it('finds within a second that it lost its lease: its bodies are aborted', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    const peer = await cluster.node({ worker: false })
    await cluster.advance(30_000)
    const [task, run] = await cluster.start(node)
    node.process.suspend()
    // A peer that saw the lease expire, and died before it could act.
    await cluster.advance(8_000)
    await peer.kill()
    await cluster.advance(hour - 8_000)
    expect(run.signal.aborted).toBe(false)
    node.process.thaw()
    await cluster.advance(1_100)
    expect(run.signal.reason).toMatchObject({ code: 'LEASE_LOST' })
    expect(told(node)).toEqual(['doubts its lease', 'stood still', 'lost the lease'])
    expect(node.logged.find(({ message }) => message.startsWith('stood still'))?.fields).toMatchObject({ suspendedMs: hour })
    expect(await cluster.untilRunning(task, 2)).toBeLessThan(2_000)
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Released', 'Started'])
  })

  it('and that has no peers keeps its bodies running: no other node can have taken the tasks', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    await cluster.advance(30_000)
    const [task, run] = await cluster.start(node)
    node.process.suspend()
    await cluster.advance(hour)
    node.process.thaw()
    await cluster.advance(10_000)
    expect(run.signal.aborted).toBe(false)
    run.return()
    await cluster.advance(0)
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Completed'])
  })

  it('takes no task before it has asked the registry', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    const front = await cluster.node({ worker: false })
    await cluster.advance(30_000)
    node.process.suspend()
    await cluster.advance(hour)
    node.faults.slow(storageCalls, () => cluster.clock.sleep(3_000))
    node.process.thaw()
    const task = await front.manager.submit(cluster.held().task, null)
    await cluster.advance(2_900)
    expect(node.manager.health().lease.ok).toBe(false)
    expect(await cluster.eventTypes(task)).toEqual(['Created'])
    node.faults.heal()
    await cluster.untilRunning(task, 1)
  })

  it('leaves its tasks to the node that runs them since', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    const [task, run] = await cluster.start(node)
    await cluster.node()
    await cluster.advance(30_000)
    node.process.suspend()
    await cluster.untilRunning(task, 2)
    node.process.thaw()
    await cluster.advance(1_100)
    expect(run.signal.aborted).toBe(true)
    expect(cluster.run(task, 2).signal.aborted).toBe(false)
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Died', 'Started'])
  })

  it('keeps its lease if the suspension was shorter', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    await cluster.advance(30_000)
    const [, run] = await cluster.start(node)
    node.process.suspend()
    await cluster.advance(8_000)
    node.process.thaw()
    await cluster.advance(30_000)
    expect(run.signal.aborted).toBe(false)
    expect(node.manager.health().lease.ok).toBe(true)
  })

  it('gives up its lease if storage does not answer when it wakes', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    await cluster.advance(30_000)
    const [, run] = await cluster.start(node)
    node.faults.fail('before', storageCalls)
    node.process.suspend()
    await cluster.advance(hour)
    node.process.thaw()
    await cluster.advance(3_100)
    expect(run.signal.reason).toMatchObject({ code: 'LEASE_LOST' })
    node.faults.heal()
    await cluster.advance(10_000)
    expect(node.manager.health().lease.ok).toBe(true)
  })

  it('gives up its lease if a renewal was under way', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    const peer = await cluster.node({ worker: false })
    await cluster.advance(29_000)
    const [, run] = await cluster.start(node)
    node.faults.slow(
      ({ name }) => name === 'nodes.renew',
      () => cluster.clock.sleep(hour),
    )
    await cluster.advance(1_100)
    node.process.suspend()
    await cluster.advance(8_000)
    await peer.kill()
    await cluster.advance(hour)
    node.faults.heal()
    node.process.thaw()
    await cluster.advance(6_000)
    expect(run.signal.reason).toMatchObject({ code: 'LEASE_LOST' })
  })
})

describe('a node whose wall clock is set', () => {
  it.each([hour, -hour, 30 * 24 * hour])('by %i ms keeps its lease, and its bodies go on', async (jumpMs) => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    await cluster.node({ worker: false })
    await cluster.advance(30_000)
    const [task, run] = await cluster.start(node)
    node.process.skewMs = jumpMs
    await cluster.advance(60_000)
    expect(run.signal.aborted).toBe(false)
    expect(node.manager.health().lease.ok).toBe(true)
    run.return()
    await cluster.advance(0)
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Completed'])
  })
})
