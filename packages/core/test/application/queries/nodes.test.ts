import { describe, expect, it } from 'vitest'
import { VirtualCluster } from '../virtual-cluster.ts'

describe('the nodes that a manager shows', () => {
  it.each([
    ['the same clock', 0, 0],
    ['a clock that is an hour ahead', 3_600_000, 5_000],
    ['a clock that is an hour behind', -3_600_000, 5_000],
  ])('say how old their entries are: with %s', async (_what, skewMs, maxErrorMs) => {
    await using cluster = new VirtualCluster()
    const asking = await cluster.node()
    const other = await cluster.node({ skewMs })
    await cluster.advance(60_000)
    other.faults.fail('before', ({ name }) => name === 'nodes.renew')
    await cluster.advance(12_000)
    const ages = new Map((await asking.manager.nodes()).map(({ nodeId, ageMs }) => [nodeId, ageMs]))
    expect(ages.get(asking.id)).toBe(2_000)
    expect(ages.get(other.id)).toBeLessThanOrEqual(12_000)
    expect(ages.get(other.id)).toBeGreaterThanOrEqual(12_000 - maxErrorMs)
  })
})
