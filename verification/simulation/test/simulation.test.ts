import { createMemory } from '@taskledger/memory'
import { interceptedStorage, onCalls } from '@taskledger/test-kit/faults'
import { describe, expect, it } from 'vitest'
import { describeFailure } from '../src/oracle/describe-failure.ts'
import type { MakeEngine } from '../src/world/engine.ts'
import { simulateCluster } from '../src/simulate-cluster.ts'
import { fixedSeeds, simulated } from './seeds.ts'

/** Memory whose listing keeps the first row of a task and ignores later rows. */
const forgetful: MakeEngine = (options) => {
  const memory = createMemory(options)
  const seen = new Set<string>()
  const saveOnce = onCalls({
    async 'listing.save'(next, details) {
      if (!seen.has(details.taskId)) await next(details)
      seen.add(details.taskId)
    },
  })
  return { ...memory, storage: () => interceptedStorage(memory.storage(), saveOnce) }
}

describe('a simulation', () => {
  it('takes the same steps each time it runs with the same seed', async () => {
    const run = () => simulateCluster({ seed: 57, engine: createMemory, trace: true })
    const first = await run()
    expect(first.trace.length).toBeGreaterThan(100)
    expect(await run()).toEqual(first)
  })

  it('takes other steps with another seed', async () => {
    const [one, other] = await Promise.all([57, 58].map((seed) => simulateCluster({ seed, engine: createMemory, trace: true })))
    expect(one?.trace).not.toEqual(other?.trace)
  })

  it.each(fixedSeeds)('keeps its promises with the seed %i, which once broke one', async (seed) => {
    expect(await simulated(seed)).toBeGreaterThan(0)
  })

  it('that breaks a promise is shrunk and described, with its seed and its steps', { timeout: 120_000 }, async () => {
    const options = { seed: 11, engine: forgetful }
    const report = await simulateCluster(options)
    expect(report.broken.map(({ promise }) => promise)).toContain('listing')
    const told = await describeFailure(options, report)
    expect(told).toContain('seed 11 breaks')
    // One task without any fault is enough.
    expect(told.match(/^ {2}task \d+: /gm)).toHaveLength(1)
    expect(told).toMatch(/→ events\.append .*TaskCreated/)
  })
})
