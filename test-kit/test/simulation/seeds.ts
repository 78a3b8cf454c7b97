import { createMemory } from '@taskledger/memory'
import { describe, expect, it } from 'vitest'
import { describeFailure } from '../../src/simulation/describe-failure.ts'
import { simulateCluster } from '../../src/simulation/simulate-cluster.ts'

/** How many seeds every run of the tests simulates: 1 and those that follow. */
export const seedCount = 2_000

/** How many seeds make up one test. */
const blockSize = 250

/** Simulates a cluster by each of the seeds from `from` to `to`. */
export const describeSeeds = (from: number, to: number): void => {
  describe('a simulated cluster keeps its promises', () => {
    for (let first = from; first <= to; first += blockSize) {
      const last = Math.min(first + blockSize - 1, to)
      it(`by the seeds ${first} to ${last}`, { timeout: 300_000 }, async () => {
        let faults = 0
        for (let seed = first; seed <= last; seed++) {
          const options = { seed, engine: createMemory }
          const report = await simulateCluster(options)
          if (report.broken.length > 0) throw new Error(await describeFailure(options, report))
          faults += report.faults
        }
        // Nothing is shown where nothing was done to it.
        expect(faults).toBeGreaterThan(last - first)
      })
    }
  })
}
