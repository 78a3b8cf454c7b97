import { virtualClock } from '@taskledger/core/testing'
import { NodeProcess } from '@taskledger/test-kit/faults'
import { beforeEach, describe, expect, it } from 'vitest'
import { ClusterClocks } from '../../../src/application/node/cluster-clocks.ts'

const hour = 3_600_000
const day = 24 * hour

let time = virtualClock()
let self: NodeProcess
let others: Map<string, NodeProcess>
let clocks: ClusterClocks

beforeEach(() => {
  time = virtualClock()
  self = new NodeProcess(time)
  others = new Map()
  clocks = new ClusterClocks({ clock: self, nodeId: 'self' })
})

/** Adds a node whose wall clock is ahead. */
const join = (nodeId: string, aheadMs: number): NodeProcess => {
  const process = new NodeProcess(time, aheadMs)
  others.set(nodeId, process)
  return process
}

/** All nodes renew, `ageMs` pass, and this node reads the registry. */
const readAfter = async (ageMs: number): Promise<void> => {
  const live = Array.from(others, ([nodeId, process]) => ({ nodeId, renewedAt: process.now() }))
  await time.advance(ageMs)
  clocks.noteRead([...live, { nodeId: 'self', renewedAt: self.now() }], self.elapsed())
  await time.advance(5_000 - ageMs)
}

describe('the clocks of a cluster', () => {
  it('are unknown before a read of the registry', () => {
    expect([clocks.knows('other'), clocks.knows('self')]).toEqual([false, true])
    expect(clocks.elapsedAt(self.now() + 5, 'other')).toBe(self.elapsed() + 5)
    expect(clocks.aheadMs).toBe(undefined)
    expect([clocks.fastestNow(), clocks.slowestNow()]).toEqual([self.now(), self.now()])
    expect(clocks.elapsedAt(self.now() - 7, 'self')).toBe(self.elapsed() - 7)
  })

  it('may show any time on a node that is heard and that the registry has not shown yet', async () => {
    const at = join('behind', -hour).now()
    clocks.noteHeard('behind')
    expect([clocks.knows('behind'), clocks.elapsedAt(at, 'behind'), clocks.earliestAt(at, 'behind', at)]).toEqual([
      false,
      Infinity,
      -Infinity,
    ])
    await readAfter(0)
    clocks.noteHeard('behind')
    expect(clocks.elapsedAt(at, 'behind')).toBe(0)
    // Nobody hears it any more: after a day it counts as gone.
    others.clear()
    clocks.noteHeard('gone')
    await readAfter(0)
    expect(clocks.elapsedAt(at, 'gone')).toBe(Infinity)
    await time.advance(day)
    await readAfter(0)
    expect(clocks.elapsedAt(time.now(), 'gone')).toBe(time.elapsed())
  })

  it('translate a time of another node, late by at most the age of its renewal', async () => {
    const fast = join('fast', hour)
    const at = fast.now()
    await readAfter(3_000)
    expect(clocks.elapsedAt(at, 'fast')).toBe(3_000)
    await readAfter(200)
    expect(clocks.elapsedAt(at, 'fast')).toBe(200)
    expect(clocks.nowOn('fast')).toBe(fast.now() - 200)
    await readAfter(4_000)
    expect(clocks.elapsedAt(at, 'fast')).toBe(200)
  })

  it('know the fastest and the slowest', async () => {
    join('fast', 2 * hour)
    join('slow', -3 * hour)
    await readAfter(0)
    expect(clocks.fastestNow()).toBe(self.now() + 2 * hour)
    expect(clocks.slowestNow()).toBe(self.now() - 3 * hour)
  })

  it('remember a node that left for a day', async () => {
    join('fast', hour)
    await readAfter(0)
    const at = time.now()
    others.clear()
    await readAfter(0)
    await time.advance(day - 20_000)
    await readAfter(0)
    expect(clocks.fastestNow()).toBe(self.now() + hour)
    expect(clocks.elapsedAt(at + hour, 'fast')).toBe(5_000)
    await time.advance(20_000)
    await readAfter(0)
    expect(clocks.fastestNow()).toBe(self.now())
    expect(clocks.knows('fast')).toBe(false)
  })

  it('follow a clock that is set forward and back', async () => {
    const other = join('other', 0)
    for (const skewMs of [hour, -hour, 0, -30 * day, 30 * day]) {
      other.skewMs = skewMs
      await readAfter(1_000)
      expect(clocks.elapsedAt(other.now(), 'other')).toBe(self.elapsed() + 1_000)
    }
  })

  it('do not take a late read for a clock that was set back', async () => {
    const other = join('other', 0)
    await readAfter(0)
    const live = [{ nodeId: 'other', renewedAt: other.now() }]
    await time.advance(60_000)
    clocks.noteRead(live, self.elapsed())
    expect(clocks.elapsedAt(other.now(), 'other')).toBe(self.elapsed())
  })

  it('of which the own is set forward: the slowest is what it was, for a day', async () => {
    await readAfter(0)
    self.skewMs = 30 * day
    expect(clocks.slowestNow()).toBe(self.now() - 30 * day)
    for (let passed = 0; passed < day; passed += hour) {
      await time.advance(hour)
      await readAfter(0)
    }
    expect(clocks.slowestNow()).toBe(self.now())
  })

  it('of which the own differs from the median of the others', async () => {
    for (const [index, aheadMs] of [0, 10, 20 * hour].entries()) join(`other-${index}`, aheadMs)
    self.skewMs = -hour
    await readAfter(0)
    // A first renewal may have been old.
    expect(clocks.aheadMs).toBe(undefined)
    await readAfter(0)
    expect(clocks.aheadMs).toBe(-hour - 10)
    expect(clocks.nowOn('unknown')).toBe(self.now() + hour)
    others.clear()
    await readAfter(0)
    expect(clocks.aheadMs).toBe(undefined)
  })
})
