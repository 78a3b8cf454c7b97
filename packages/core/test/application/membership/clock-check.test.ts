import type { ClusterNode } from '@taskledger/test-kit/faults'
import { describe, expect, it } from 'vitest'
import { VirtualCluster } from '../virtual-cluster.ts'

const hour = 3_600_000
const front = { worker: false } as const

const warnings = ({ logged }: ClusterNode): readonly unknown[] =>
  logged.filter(({ message }) => message.startsWith('the clock of this node')).map(({ level, fields }) => [level, fields['offsetMs']])

describe('the clock of a node', () => {
  it.each([hour, -hour])('that is %i ms ahead of the others is warned of once, and shown in health', async (skewMs) => {
    await using cluster = new VirtualCluster()
    const right = [await cluster.node(front), await cluster.node(front), await cluster.node(front)]
    const wrong = await cluster.node({ ...front, skewMs })
    await cluster.advance(120_000)
    expect(warnings(wrong)).toEqual([['warn', skewMs < 0 ? skewMs : skewMs - 5_000]])
    expect(wrong.manager.health().clockOffsetMs).toSatisfy((ms: number) => Math.abs(ms - skewMs) <= 5_000)
    for (const node of right) {
      expect(warnings(node)).toEqual([])
      expect(node.manager.health().clockOffsetMs).toBe(0)
    }
    wrong.process.skewMs = 0
    await cluster.advance(60_000)
    expect(warnings(wrong).at(-1)).toMatchObject(['info', expect.anything()])
    wrong.process.skewMs = 60_000
    await cluster.advance(60_000)
    expect(warnings(wrong)).toHaveLength(3)
  })

  it('is not compared with that of a node that died before this one started', async () => {
    await using cluster = new VirtualCluster()
    const victim = await cluster.node(front)
    await cluster.advance(4_900)
    await victim.kill()
    await cluster.advance(9_000)
    const node = await cluster.node(front)
    await cluster.advance(60_000)
    expect(warnings(node)).toEqual([])
    expect(node.manager.health()).not.toHaveProperty('clockOffsetMs')
  })
})
