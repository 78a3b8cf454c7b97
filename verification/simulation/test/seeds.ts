import { createMemory } from '@taskledger/memory'
import { describe, expect, it } from 'vitest'
import { describeFailure } from '../src/oracle/describe-failure.ts'
import { simulateCluster } from '../src/simulate-cluster.ts'

/** Every run of the tests simulates the seeds from 1 to this one. */
export const seedCount = 2_000

/** Further seeds that once broke a promise. Later changes may have changed what these seeds do. */
export const fixedSeeds = [2_136, 6_224, 7_181, 7_450, 9_529, 24_799, 28_665, 34_793, 95_257, 502_021, 600_724, 603_202]

/** How many seeds make up one test. */
const blockSize = 250

/** Simulates a cluster for each seed from `from` to `to`. */
export const describeSeeds = (from: number, to: number): void => {
  describe('a simulated cluster keeps its promises', () => {
    for (let first = from; first <= to; first += blockSize) {
      const last = Math.min(first + blockSize - 1, to)
      it(`with the seeds ${first} to ${last}`, { timeout: 300_000 }, async () => {
        let faults = 0
        for (let seed = first; seed <= last; seed++) faults += await simulated(seed)
        // Seeds without faults would prove nothing.
        expect(faults).toBeGreaterThan(last - first)
      })
    }
  })
}

/** Simulates a cluster, and returns how many faults hit something. */
export const simulated = async (seed: number): Promise<number> => {
  const options = { seed, engine: createMemory }
  const report = await simulateCluster(options)
  if (report.broken.length > 0) throw new Error(await describeFailure(options, report))
  return report.faults
}
