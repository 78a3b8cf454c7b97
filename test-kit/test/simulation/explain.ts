import { createMemory } from '@taskledger/memory'
import { describeFailure } from '../../src/simulation/describe-failure.ts'
import { simulateCluster } from '../../src/simulation/simulate-cluster.ts'
const seed = Number(process.argv[2])
const options = { seed, engine: createMemory }
const report = await simulateCluster(options)
console.log(report.broken.length === 0 ? { ...report, trace: 0 } : await describeFailure(options, report))
