import { describe, expect, it } from 'vitest'
import { shardCount, shardsOf } from '../../../src/application/membership/shards.ts'

const ttlMs = 15_000

type Live = Parameters<typeof shardsOf>[1]

const aged = (nodeId: string, ageMs: number, startedAt = 0): Live[number] => ({ nodeId, startedAt, renewedAt: startedAt + ageMs })

const nodes = (count: number, ageMs = 60_000): Live => Array.from({ length: count }, (_, index) => aged(`node-${index * 7_919}`, ageMs))

const owners = (live: Live): readonly (string | undefined)[] =>
  Array.from({ length: shardCount }, (_, shard) => {
    const owning = live.filter(({ nodeId }) => shardsOf(nodeId, live, ttlMs).includes(shard))
    expect(owning).toHaveLength(1)
    return owning[0]?.nodeId
  })

describe('the shards of a node', () => {
  it('are all shards if the node is alone', () => {
    for (const ageMs of [0, 60_000]) expect(shardsOf('alone', [aged('alone', ageMs)], ttlMs)).toHaveLength(shardCount)
    expect(shardsOf('alone', [], ttlMs)).toHaveLength(shardCount)
  })

  it.each([2, 3, 5, 16, 40])('are disjoint and complete among %i nodes, in whatever order they are listed', (count) => {
    const live = nodes(count)
    expect(owners([...live].reverse())).toEqual(owners(live))
  })

  it('are spread over the nodes', () => {
    const most = Math.max(...nodes(4).map(({ nodeId }) => shardsOf(nodeId, nodes(4), ttlMs).length))
    expect(most).toBeLessThanOrEqual(9)
  })

  it('stay with their nodes when another node goes', () => {
    const before = owners(nodes(5))
    const [gone, ...rest] = nodes(5)
    for (const [shard, owner] of owners(rest).entries()) if (before[shard] !== gone?.nodeId) expect(owner).toBe(before[shard])
  })

  it('are shared among young nodes as among old nodes', () => {
    expect(owners(nodes(5, 3_000))).toEqual(owners(nodes(5)))
  })

  it('stay with the old nodes while others are young, whatever the clocks say', () => {
    const grown = nodes(3)
    for (const ageMs of [-3_600_000, 0, ttlMs - 1]) {
      const newcomers = [aged('x', ageMs, 5_000_000), aged('y', ageMs, -5_000_000)]
      expect(owners([...newcomers, ...grown])).toEqual(owners(grown))
    }
  })

  it('move to a new node once it has lived for a lease, and no other shards move', () => {
    const before = owners(nodes(3))
    const after = owners([...nodes(3), aged('newcomer', ttlMs)])
    expect(after).toContain('newcomer')
    for (const [shard, owner] of after.entries()) if (owner !== 'newcomer') expect(owner).toBe(before[shard])
  })

  it('are all assigned again, with different leases, once the youngest node has outlived the longest lease', () => {
    const live = [aged('short', 100_000), aged('long', 60_000)]
    const shares = [shardsOf('short', live, 15_000), shardsOf('long', live, 60_000)].flat()
    expect(shares.sort((a, b) => a - b)).toEqual(Array.from({ length: shardCount }, (_, shard) => shard))
  })
})
