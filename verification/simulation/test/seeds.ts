import { createMemory } from '@taskledger/memory'
import { describe, expect, it } from 'vitest'
import { describeFailure } from '../src/oracle/describe-failure.ts'
import { simulateCluster } from '../src/simulate-cluster.ts'

/** How many seeds every run of the tests simulates: 1 and those that follow. */
export const seedCount = 2_000

/** Seeds beyond them by which a promise was broken once. What has been changed since may bring about something else by them. */
export const fixedSeeds = [9_529, 24_799, 28_665, 34_793, 95_257]

/** How many seeds make up one test. */
const blockSize = 250

/** Simulates a cluster by each of the seeds from `from` to `to`. */
export const describeSeeds = (from: number, to: number): void => {
  describe('a simulated cluster keeps its promises', () => {
    for (let first = from; first <= to; first += blockSize) {
      const last = Math.min(first + blockSize - 1, to)
      it(`by the seeds ${first} to ${last}`, { timeout: 300_000 }, async () => {
        let faults = 0
        for (let seed = first; seed <= last; seed++) faults += await simulated(seed)
        // Nothing is shown where nothing was done to it.
        expect(faults).toBeGreaterThan(last - first)
      })
    }
  })
}

/** Simulates a cluster by a seed, and says how many faults met something. */
export const simulated = async (seed: number): Promise<number> => {
  const options = { seed, engine: createMemory }
  const report = await simulateCluster(options)
  if (report.broken.length > 0) throw new Error(await describeFailure(options, report))
  return report.faults
}
