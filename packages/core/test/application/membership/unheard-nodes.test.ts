import type { NodeInfo } from '@taskledger/core/ports'
import { virtualClock } from '@taskledger/core/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import type { NodeContext } from '../../../src/application/node/context.ts'
import { Lease } from '../../../src/application/node/lease.ts'
import { UnheardNodes } from '../../../src/application/membership/unheard-nodes.ts'

let clock = virtualClock()
let nodes: UnheardNodes

/** The registry is read, and shows other nodes with these beats. */
const read = (beats: Readonly<Record<string, number>>, beganAt = clock.elapsed()): boolean => {
  const live = Object.entries({ ...beats, self: 9 }).map(([nodeId, beat]): NodeInfo => ({
    nodeId,
    name: nodeId,
    startedAt: 0,
    renewedAt: 0,
    queues: {},
    running: 0,
    delivered: {},
    beat,
  }))
  return nodes.compare({ live, isSound: true, beganAt })
}

/** This node sends a beat after the grace period, and receives it. */
const confirmed = async (): Promise<readonly string[]> => {
  await clock.advance(nodes.graceMs)
  nodes.receivedOwn(clock.elapsed())
  return [...nodes.ids]
}

const hear = (node: string, number: number): void => nodes.hear({ node, number, isRenewed: true })

beforeEach(() => {
  clock = virtualClock()
  const lease = new Lease(clock, { renewMs: 5_000, ttlMs: 15_000 })
  nodes = new UnheardNodes({ clock, lease, nodeId: 'self' } as unknown as NodeContext)
})

describe('a node that was there before this one', () => {
  it('is unheard from the second beat that it shows later', async () => {
    read({ x: 4 })
    read({ x: 5 })
    expect(await confirmed()).toEqual([])
    expect(read({ x: 6 })).toBe(true)
    expect(await confirmed()).toEqual(['x'])
  })

  it('may have sent the next beat before this node listened, whatever its number', async () => {
    read({ x: 4 })
    read({ x: 9 })
    read({ x: 9 })
    expect(await confirmed()).toEqual([])
  })

  it('is heard if a beat arrives, of whatever number', async () => {
    read({ x: 4 })
    read({ x: 5 })
    hear('x', 6)
    read({ x: 6 })
    expect(await confirmed()).toEqual([])
  })
})

describe('a node that a read of this one lacked', () => {
  it('is unheard from the first beat that it shows later: it was sent after that read', async () => {
    read({})
    read({ x: 0 })
    expect(read({ x: 1 })).toBe(true)
    expect(await confirmed()).toEqual(['x'])
  })

  it('counts as there before this one if notices were missed since that read', async () => {
    read({})
    nodes.missed()
    read({ x: 0 })
    read({ x: 1 })
    expect(await confirmed()).toEqual([])
  })

  it('counts as there before this one if that read began before notices were missed', async () => {
    await clock.advance(10)
    nodes.missed()
    read({}, clock.elapsed() - 5)
    read({ x: 0 })
    read({ x: 1 })
    expect(await confirmed()).toEqual([])
  })

  it('is heard although its first beat came before the answer of that read', async () => {
    hear('x', 1)
    read({})
    read({ x: 0 })
    read({ x: 1 })
    expect(await confirmed()).toEqual([])
  })
})

describe('a node is new', () => {
  it('for two renewals after it was first read, unless it is heard', async () => {
    expect(nodes.hasNew).toBe(false)
    read({ x: 0, y: 0 })
    expect(nodes.hasNew).toBe(true)
    hear('x', 1)
    expect(nodes.hasNew).toBe(true)
    hear('y', 1)
    expect(nodes.hasNew).toBe(false)
    read({ x: 1, y: 1, z: 0 })
    await clock.advance(9_999)
    expect(nodes.hasNew).toBe(true)
    await clock.advance(2)
    expect(nodes.hasNew).toBe(false)
  })

  it('not again because notices were missed', () => {
    read({ x: 0 })
    hear('x', 1)
    nodes.missed()
    read({ x: 1 })
    expect(nodes.hasNew).toBe(false)
  })

  it('not if it does not tell which beats it received', () => {
    nodes.compare({
      live: [{ nodeId: 'old', name: 'old', startedAt: 0, renewedAt: 0, queues: {}, running: 0, delivered: {} }],
      isSound: true,
      beganAt: 0,
    })
    expect(nodes.hasNew).toBe(false)
  })
})
