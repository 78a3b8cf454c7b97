import type { NodeInfo } from '@taskledger/core/ports'
import { virtualClock } from '@taskledger/core/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import type { NodeContext } from '../../../src/application/node/context.ts'
import { ClusterClocks } from '../../../src/application/node/cluster-clocks.ts'
import { Lease } from '../../../src/application/node/lease.ts'
import { UnlistedNodes } from '../../../src/application/membership/unlisted-nodes.ts'

let clock = virtualClock()
let clocks: ClusterClocks
let nodes: UnlistedNodes

/** The registry is read, and has these nodes. */
const read = (nodeIds: readonly string[] = [], beganAt = clock.elapsed()): readonly string[] => {
  const live = ['self', ...nodeIds].map((nodeId): NodeInfo => ({
    nodeId,
    name: nodeId,
    startedAt: 0,
    renewedAt: 0,
    queues: {},
    running: 0,
    delivered: {},
    beat: 1,
  }))
  clocks.noteRead(live, beganAt)
  nodes.compare({ live, isSound: true, beganAt })
  return [...nodes.ids]
}

/** A beat of a node arrives, and time passes. */
const hear = async (isRenewed = true): Promise<void> => {
  nodes.hear({ node: 'x', number: 1, isRenewed })
  await clock.advance(10)
}

beforeEach(() => {
  clock = virtualClock()
  clocks = new ClusterClocks({ clock, nodeId: 'self' })
  const lease = new Lease(clock, { renewMs: 5_000, ttlMs: 15_000 })
  nodes = new UnlistedNodes({ clock, clocks, lease, nodeId: 'self' } as unknown as NodeContext)
})

describe('a node whose beats arrive is unlisted', () => {
  it('after three beats, each followed by a read without it', async () => {
    for (const ids of [[], [], ['x']]) {
      await hear()
      expect(read()).toEqual(ids)
    }
  })

  it('not after three reads that follow one beat', async () => {
    await hear()
    for (let reads = 0; reads < 3; reads++) expect(read()).toEqual([])
  })

  it('not by a beat that arrived during a read which follows another beat: a registry may answer the next read at once', async () => {
    for (const ids of [[], [], ['x']]) {
      await hear()
      const beganAt = clock.elapsed()
      await clock.advance(5)
      await hear()
      expect(read([], beganAt)).toEqual(ids)
      expect(read()).toEqual(ids)
    }
  })

  it('not by beats that say that it could not renew its lease', async () => {
    for (let beats = 0; beats < 5; beats++) {
      await hear(false)
      expect(read()).toEqual([])
    }
  })

  it('not after the registry has shown it once, however late its beats arrive', async () => {
    read(['x'])
    for (let beats = 0; beats < 5; beats++) {
      await hear()
      expect(read()).toEqual([])
    }
  })
})

describe('a node whose beats arrive is new', () => {
  it('for two renewals, unless the registry has shown it', async () => {
    await hear()
    expect(nodes.hasNew).toBe(true)
    read()
    await clock.advance(9_000)
    expect(nodes.hasNew).toBe(true)
    await clock.advance(1_000)
    expect(nodes.hasNew).toBe(false)
  })

  it('not while the registry shows an entry of it that cannot be read', async () => {
    nodes.compare({ live: [{ nodeId: 'x', unreadable: 'spoilt' }], isSound: true, beganAt: clock.elapsed() })
    await hear()
    expect(nodes.hasNew).toBe(false)
  })

  it('until the registry shows it', async () => {
    await hear()
    read(['x'])
    expect(nodes.hasNew).toBe(false)
    await hear()
    expect(nodes.hasNew).toBe(false)
  })
})
