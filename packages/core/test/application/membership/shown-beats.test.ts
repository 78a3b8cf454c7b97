import { isUnreadableNode } from '@taskledger/core/ports'
import { onCalls } from '@taskledger/test-kit/faults'
import { describe, expect, it } from 'vitest'
import { VirtualCluster } from '../virtual-cluster.ts'

const front = { worker: false } as const

/** Lets notices reach a node after this time, in milliseconds. */
const after = ({ clock }: VirtualCluster, ms: () => number) =>
  onCalls({ 'inbound.notice': (next, notice) => void clock.schedule(ms(), () => next(notice)) })

/** The beat that the registry shows of the only node. */
const shownBy = async ({ storage }: VirtualCluster): Promise<number | undefined> => {
  const [node] = await storage.nodes.live()
  return node === undefined || isUnreadableNode(node) ? undefined : node.beat
}

describe('a node shows the beat that followed its latest renewal', () => {
  it('from the next renewal on', async () => {
    await using cluster = new VirtualCluster()
    await cluster.node(front)
    for (const beat of [0, 1, 2, 3]) {
      expect(await shownBy(cluster)).toBe(beat)
      await cluster.advance(5_000)
    }
  })

  it('only if it came back before that renewal began: one that came later may be older than a node that reads it', async () => {
    await using cluster = new VirtualCluster()
    let delayMs = 5_100
    await cluster.node({ ...front, intercept: after(cluster, () => delayMs) })
    await cluster.advance(30_100)
    expect(await shownBy(cluster)).toBe(0)
    delayMs = 4_900
    await cluster.advance(15_000)
    expect(await shownBy(cluster)).toBeGreaterThan(5)
  })

  it('and not if it came back during that renewal', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node({ ...front, intercept: after(cluster, () => 4_900) })
    node.faults.slow(
      ({ name }) => name === 'nodes.renew',
      () => cluster.clock.sleep(300),
    )
    await cluster.advance(40_000)
    // The first renewal was not slow.
    expect(await shownBy(cluster)).toBe(1)
  })

  it('and none from before a lapse of its lease', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node(front)
    await cluster.advance(12_000)
    expect(await shownBy(cluster)).toBe(2)
    node.process.freeze()
    await cluster.advance(20_000)
    node.process.thaw()
    await cluster.advance(0)
    expect(await shownBy(cluster)).toBe(0)
    await cluster.advance(5_000)
    expect(await shownBy(cluster)).toBe(4)
  })

  it('and none that followed a renewal which failed', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node(front)
    await cluster.advance(12_000)
    const heal = node.faults.fail('before', ({ name }) => name === 'nodes.renew')
    await cluster.advance(5_500)
    heal()
    await cluster.advance(1_000)
    // The third beat followed the renewal before, the fourth a failed one.
    expect(await shownBy(cluster)).toBe(3)
  })
})

describe('a node renews early', () => {
  it('once if a node joins whose notices arrive', async () => {
    await using cluster = new VirtualCluster()
    let renewals = 0
    const counted = onCalls({ 'nodes.renew': (next, ...args) => (renewals++, next(...args)) })
    await cluster.node({ ...front, intercept: counted })
    await cluster.advance(11_000)
    renewals = 0
    await cluster.node(front)
    await cluster.advance(30_000)
    expect(renewals).toBe(7)
  })

  it('for two renewals if a node joins whose notices do not arrive, and then once per renewal', async () => {
    await using cluster = new VirtualCluster()
    let renewals = 0
    const counted = onCalls({ 'nodes.renew': (next, ...args) => (renewals++, next(...args)) })
    // It does not receive its own notices either, so nobody can know whether the two are apart.
    const deaf = onCalls({ 'inbound.notice': () => {}, 'bus.publish': async () => {} })
    await cluster.node({ ...front, intercept: counted })
    await cluster.advance(11_000)
    await cluster.node({ ...front, intercept: deaf })
    await cluster.advance(4_100)
    renewals = 0
    await cluster.advance(10_000)
    expect(renewals).toBe(10)
    await cluster.advance(30_000)
    expect(renewals).toBe(16)
  })
})
