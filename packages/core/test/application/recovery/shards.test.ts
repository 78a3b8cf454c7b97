import { describe, expect, it } from 'vitest'
import { shardCount, shardsOf } from '../../../src/application/shards.ts'

const nodes = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `node-${index * 7_919}`)

const owners = (live: readonly string[]): readonly (string | undefined)[] =>
  Array.from({ length: shardCount }, (_, shard) => {
    const owning = live.filter((nodeId) => shardsOf(nodeId, live).includes(shard))
    expect(owning).toHaveLength(1)
    return owning[0]
  })

describe('the shards of a node', () => {
  it('are all of them where it is alone', () => {
    expect(shardsOf('alone', ['alone'])).toHaveLength(shardCount)
    expect(shardsOf('alone', [])).toHaveLength(shardCount)
  })

  it.each([2, 3, 5, 16, 40])('are disjoint and complete among %i nodes, in whatever order they are listed', (count) => {
    const live = nodes(count)
    expect(owners([...live].reverse())).toEqual(owners(live))
  })

  it('are spread over the nodes', () => {
    const most = Math.max(...nodes(4).map((nodeId) => shardsOf(nodeId, nodes(4)).length))
    expect(most).toBeLessThanOrEqual(9)
  })

  it('stay where they are when another node goes', () => {
    const before = owners(nodes(5))
    const [gone, ...rest] = nodes(5)
    for (const [shard, owner] of owners(rest).entries()) if (before[shard] !== gone) expect(owner).toBe(before[shard])
  })
})
