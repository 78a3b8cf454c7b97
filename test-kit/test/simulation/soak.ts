import process from 'node:process'
import { parseArgs } from 'node:util'
import { createMemory } from '@taskledger/memory'
import { simulateCluster } from '../../src/simulation/simulate-cluster.ts'

const { values } = parseArgs({ options: { seeds: { type: 'string', default: '1000' }, from: { type: 'string', default: '1' } } })
const from = Number(values.from)
const count = Number(values.seeds)
const began = performance.now()
let faults = 0, virtualMs = 0, calls = 0, worst = 0
const settled: [number, number][] = []
const failures = new Map<string, number[]>()
for (let seed = from; seed < from + count; seed++) {
  const report = await simulateCluster({ seed, engine: createMemory })
  faults += report.faults; virtualMs += report.virtualMs; calls += report.calls
  settled.push([report.settledMs ?? Infinity, seed])
  for (const { promise, detail } of report.broken.slice(0, 2)) {
    failures.set(promise, [...(failures.get(promise) ?? []), seed])
    if ((failures.get(promise)?.length ?? 0) <= 3) console.log(seed, promise, detail.slice(0, 400))
  }
}
const s = (performance.now() - began) / 1000
console.log({ count, seconds: s, perSecond: count / s, faults, calls, virtualHours: virtualMs / 3.6e6, cpu: process.cpuUsage() })
settled.sort((a, b) => b[0] - a[0])
console.log(settled.slice(0, 15).map(([a, b]) => `${b}:${a}`).join(' '), 'median', settled[settled.length >> 1])
for (const [p, seeds] of failures) console.log(p, seeds.length, seeds.slice(0, 20).join(' '))
