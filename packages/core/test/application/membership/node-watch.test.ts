import type { NodeInfo, NodeRegistry, UnreadableNode } from '@taskledger/core/ports'
import { silentLogger } from '@taskledger/core/ports'
import { virtualClock } from '@taskledger/core/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { ClockCheck } from '../../../src/application/membership/clock-check.ts'
import { ClusterClocks } from '../../../src/application/node/cluster-clocks.ts'
import { Deadlines } from '../../../src/application/node/deadlines.ts'
import { Lease } from '../../../src/application/node/lease.ts'
import type { NodeContext } from '../../../src/application/node/context.ts'
import type { NodeListener } from '../../../src/application/node/listener.ts'
import { NodeWatch } from '../../../src/application/membership/node-watch.ts'

const self = 'self'
let clock = virtualClock()
let lease: Lease
let watch: NodeWatch
let deaths: string[]
/** The nodes that the registry shows, each with the time of its latest renewal. */
let shown: Map<string, number>
/** The nodes whose entries cannot be read. */
let spoilt: Set<string>
let isDown: boolean

const info = (nodeId: string, renewedAt: number): NodeInfo => ({
  nodeId,
  name: nodeId,
  startedAt: 0,
  renewedAt,
  queues: {},
  running: 0,
  delivered: {},
})

/** What a renewal of this node does: it extends the lease, and reads the registry. */
const renewed = async (): Promise<void> => {
  lease.renewed(lease.sends())
  shown.set(self, clock.now())
  await watch.refresh()
}

/** Renewals every five seconds, for a number of seconds; the named nodes renew as well. */
const pass = async (seconds: number, ...renewing: readonly string[]): Promise<void> => {
  for (let second = 0; second < seconds; second++) {
    if (second % 5 === 0) {
      for (const nodeId of renewing) shown.set(nodeId, clock.now())
      await renewed()
    }
    await clock.advance(1_000)
  }
}

beforeEach(() => {
  clock = virtualClock()
  lease = new Lease(clock, { renewMs: 5_000, ttlMs: 15_000 })
  shown = new Map()
  deaths = []
  spoilt = new Set()
  isDown = false
  const nodes: Pick<NodeRegistry, 'live'> = {
    live: async () => {
      if (isDown) throw new Error('the registry is down')
      return Array.from(shown, ([nodeId, renewedAt]): NodeInfo | UnreadableNode =>
        spoilt.has(nodeId) ? { nodeId, unreadable: 'it is spoilt' } : info(nodeId, renewedAt),
      )
    },
  }
  const clocks = new ClusterClocks({ clock, nodeId: self })
  const node = { nodeId: self, clock, clocks, lease, logger: silentLogger, storage: { nodes }, deadlines: new Deadlines(clock, 10_000) }
  const context = { ...node, closed: new AbortController().signal } as unknown as NodeContext
  const ignore = (): void => {}
  const listener: NodeListener = {
    nodeDied: (nodeId) => void deaths.push(nodeId),
    nodesUnseen: ignore,
    nodesRead: ignore,
    messageSent: ignore,
    rowSaved: ignore,
    leaseRenewed: ignore,
    renewalFailed: ignore,
    stoodStill: ignore,
    leaseChanged: ignore,
  }
  watch = new NodeWatch({ node: context, listener, clockCheck: new ClockCheck(context) })
})

describe('a node that is watched', () => {
  it('is dead after it missed a renewal and two reads of the registry, and is reported once', async () => {
    await pass(30, 'other')
    expect(watch.isLive('other')).toBe(true)
    await pass(10)
    expect([watch.isDead('other'), deaths]).toEqual([false, []])
    shown.delete('other')
    await clock.advance(1_000)
    expect(watch.isDead('other')).toBe(false)
    await clock.advance(1_000)
    expect([watch.isDead('other'), deaths]).toEqual([true, ['other']])
    await pass(60)
    expect(deaths).toEqual(['other'])
  })

  it('is not dead after one read that misses it', async () => {
    await pass(30, 'other')
    await pass(10)
    shown.delete('other')
    await clock.advance(1_000)
    shown.set('other', clock.now())
    await pass(10, 'other')
    expect(deaths).toEqual([])
  })

  it('is not dead when its renewal is late', async () => {
    await pass(30, 'other')
    await pass(14)
    await pass(10, 'other')
    expect([deaths, watch.isDead('other')]).toEqual([[], false])
  })

  it('is alive again when it comes back', async () => {
    await pass(30, 'other')
    shown.delete('other')
    await pass(20)
    expect(deaths).toEqual(['other'])
    await pass(5, 'other')
    expect([watch.isDead('other'), watch.isLive('other')]).toEqual([false, true])
    shown.delete('other')
    await pass(20)
    expect(deaths).toEqual(['other', 'other'])
  })

  it('whose entry cannot be read is alive, and dead when the entry is gone', async () => {
    for (const isKnown of [true, false]) {
      if (isKnown) await pass(30, 'other')
      spoilt.add('other')
      shown.set('other', 0)
      await pass(60)
      expect([watch.isLive('other'), watch.isAlone, watch.live.length, deaths]).toEqual([true, false, 1, []])
      shown.delete('other')
      await pass(20)
      expect([watch.isDead('other'), deaths.splice(0)]).toEqual([true, ['other']])
      spoilt.clear()
    }
  })

  it('that was never seen is dead one renewal after a task first named it', async () => {
    await pass(30)
    watch.miss('stranger')
    await pass(4)
    expect(watch.isDead('stranger')).toBe(false)
    await pass(3)
    expect([watch.isDead('stranger'), deaths]).toEqual([true, ['stranger']])
  })

  it('is judged only after the registry has answered for a whole lease: at the start, after an outage, after a pause', async () => {
    watch.miss('stranger')
    await pass(14)
    expect(deaths).toEqual([])
    await pass(6)
    expect(deaths).toEqual(['stranger'])

    await pass(20, 'other')
    isDown = true
    await pass(30)
    isDown = false
    shown.delete('other')
    await pass(14)
    expect(deaths).toEqual(['stranger'])
    await pass(6)
    // The earlier death is reported again, because its listener may not have acted on it.
    expect(deaths.slice(1).sort()).toEqual(['other', 'stranger'])

    await pass(20, 'third')
    // This process stood still.
    await clock.advance(60_000)
    shown.delete('third')
    const before = deaths.length
    await pass(14)
    expect(deaths.length).toBe(before)
    await pass(6)
    expect(deaths).toContain('third')
  })

  it('is not judged while the registry has forgotten this node', async () => {
    await pass(30, 'other')
    shown.clear()
    for (let look = 0; look < 40; look++) {
      lease.renewed(lease.sends())
      await watch.refresh()
      await clock.advance(1_000)
    }
    expect([deaths, watch.isReliable]).toEqual([[], false])
  })

  it('is not judged by a node that has lost its own lease', async () => {
    await pass(30, 'other')
    shown.delete('other')
    for (let look = 0; look < 40; look++) {
      await clock.advance(1_000)
      await watch.refresh()
      if (lease.state !== 'held') expect(watch.isDead('other')).toBe(false)
    }
    expect(watch.canDeclareDead).toBe(false)
  })
})
