import type { TaskDetails } from '@taskledger/core/ports'
import { createMemory } from '@taskledger/memory'
import { describe, expect, it } from 'vitest'
import { describeFailure } from '../src/oracle/describe-failure.ts'
import type { MakeEngine } from '../src/world/engine.ts'
import { simulateCluster } from '../src/simulate-cluster.ts'
import { fixedSeeds, simulated } from './seeds.ts'

/** Memory whose listing keeps the first row of a task and no later one. */
const forgetful: MakeEngine = (options) => {
  const memory = createMemory(options)
  const seen = new Set<string>()
  return {
    ...memory,
    storage() {
      const storage = memory.storage()
      const { listing } = storage
      const save = async (details: TaskDetails): Promise<void> => {
        if (!seen.has(details.taskId)) await listing.save(details)
        seen.add(details.taskId)
      }
      return { ...storage, listing: new Proxy(listing, { get: (target, key) => (key === 'save' ? save : bound(target, key)) }) }
    },
  }
}

const bound = (target: object, key: string | symbol): unknown => {
  const value: unknown = Reflect.get(target, key)
  return typeof value === 'function' ? (value.bind(target) as unknown) : value
}

describe('a simulation', () => {
  it('goes the same way step by step, each time it is run by one seed', async () => {
    const run = () => simulateCluster({ seed: 57, engine: createMemory, trace: true })
    const first = await run()
    expect(first.trace.length).toBeGreaterThan(100)
    expect(await run()).toEqual(first)
  })

  it('goes another way by another seed', async () => {
    const [one, other] = await Promise.all([57, 58].map((seed) => simulateCluster({ seed, engine: createMemory, trace: true })))
    expect(one?.trace).not.toEqual(other?.trace)
  })

  it.each(fixedSeeds)('keeps its promises by the seed %i, by which it once did not', async (seed) => {
    expect(await simulated(seed)).toBeGreaterThan(0)
  })

  it('that breaks a promise is shrunk, and told with its seed and step by step', { timeout: 120_000 }, async () => {
    const options = { seed: 11, engine: forgetful }
    const report = await simulateCluster(options)
    expect(report.broken.map(({ promise }) => promise)).toContain('listing')
    const told = await describeFailure(options, report)
    expect(told).toContain('seed 11 breaks')
    // A single task, and nothing done to anybody, is enough.
    expect(told.match(/^ {2}task \d+: /gm)).toHaveLength(1)
    expect(told).toMatch(/→ events\.append .*TaskCreated/)
  })
})
