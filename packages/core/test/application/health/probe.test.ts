import { silentLogger } from '@taskledger/core/ports'
import { virtualClock } from '@taskledger/core/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { Probe } from '../../../src/application/health/probe.ts'
import type { Peers } from '../../../src/application/membership/peers.ts'
import { Deadlines } from '../../../src/application/node/deadlines.ts'
import type { NodeContext } from '../../../src/application/node/context.ts'
import type { AttachedWorker } from '../../../src/application/worker/attached-worker.ts'

let sent: number[]
let misses: number
let probe: Probe

const receive = (number: number): void => probe.receive({ node: 'self', number, isRenewed: true })
const probed = (): Promise<void> => probe.run({ isRenewed: true })

beforeEach(() => {
  sent = []
  misses = 0
  const clock = virtualClock()
  const bus = {
    publish: async (notices: readonly { readonly version: number }[]) => void sent.push(...notices.map(({ version }) => version)),
  }
  const node = {
    nodeId: 'self',
    clock,
    logger: silentLogger,
    deadlines: new Deadlines(clock, 10_000),
    messaging: { bus },
    storage: { events: { read: async () => [] } },
  } as unknown as NodeContext
  const peers = { missed: () => misses++, receivedOwn: () => {} } as unknown as Peers
  probe = new Probe({ node, worker: { current: undefined } as AttachedWorker, peers })
})

describe('a probe of the bus', () => {
  it('fails if the beat of the probe before did not come back', async () => {
    await probed()
    await probed()
    expect(misses).toBe(1)
    expect(probe.bus.latest.ok).toBe(false)
    receive(2)
    expect(probe.bus.latest.ok).toBe(true)
  })

  it('does not fail while a beat is on its way that was sent between two probes', async () => {
    await probed()
    receive(1)
    await probe.sendBeat(false)
    await probed()
    expect(misses).toBe(0)
    expect(sent).toEqual([1, 2, 3])
  })

  it('notices a beat between two probes that did not come back', async () => {
    await probed()
    receive(1)
    await probe.sendBeat(false)
    await probed()
    receive(3)
    expect(misses).toBe(1)
  })
})

describe('an early beat', () => {
  it('is not sent while another one is on its way', async () => {
    await probed()
    await probe.sendEarlyBeat({ isRenewed: true })
    expect(sent).toEqual([1])
    receive(1)
    await probe.sendEarlyBeat({ isRenewed: true })
    expect(sent).toEqual([1, 2])
  })
})
