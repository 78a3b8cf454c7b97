import process from 'node:process'
import { parseArgs } from 'node:util'
import { createMemory } from '@taskledger/memory'
import { describeFailure } from '../src/oracle/describe-failure.ts'
import { simulateCluster } from '../src/simulate-cluster.ts'
import { mutants } from './mutants.ts'
import { runMutant } from './run-mutant.ts'

/** `npm run soak -- --seeds 10000 --from 2001`, or `--mutants` to find the first seed that finds each mutant. */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10000' },
    from: { type: 'string', default: '1' },
    mutants: { type: 'boolean', default: false },
  },
})
const from = Number(values.from)
const count = Number(values.seeds)
if (!Number.isInteger(from) || !Number.isInteger(count) || count < 1) throw new TypeError('give whole numbers: --seeds N --from S')
const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** How often it reports progress, in milliseconds. */
const reportMs = 10_000

const soak = async (): Promise<void> => {
  const sum = { seeds: 0, faults: 0, calls: 0, virtualMs: 0, broken: 0 }
  const began = performance.now()
  const summary = (): string => {
    const seconds = (performance.now() - began) / 1_000
    const hours = (sum.virtualMs * 4) / 3_600_000
    return `${sum.seeds} seeds in ${seconds.toFixed(1)} s (${(sum.seeds / seconds).toFixed(0)} a second), ${sum.faults} faults, ${sum.calls} calls, ${hours.toFixed(1)} node-hours of virtual time, ${sum.broken} seeds that break a promise`
  }
  let reportedAt = began
  for (let seed = from; seed < from + count; seed++) {
    const options = { seed, engine: createMemory }
    const report = await simulateCluster(options)
    sum.seeds++
    sum.faults += report.faults
    sum.calls += report.calls
    sum.virtualMs += report.virtualMs
    if (report.broken.length > 0) {
      sum.broken++
      say(await describeFailure(options, report))
      process.exitCode = 1
    }
    if (performance.now() - reportedAt < reportMs) continue
    reportedAt = performance.now()
    say(summary())
  }
  say(summary())
}

const findMutants = async (): Promise<void> => {
  for (const { name, edits } of mutants) {
    const found = await runMutant({ edits, from, to: from + count - 1 })
    say(
      `${name}: ${found === undefined ? 'not found' : `seed ${found.seed}, ${found.broken.map(({ promise, detail }) => `${promise} (${detail})`)[0]}`}`,
    )
  }
}

await (values.mutants ? findMutants() : soak())
