import { cpus } from 'node:os'
import process from 'node:process'
import { parseArgs } from 'node:util'
import type { Figure } from './figures.ts'
import { printTable } from './figures.ts'
import { cancelToSignal, submitToResult } from './latency.ts'
import { memory } from './memory.ts'
import { throughput } from './throughput.ts'

// What the framework costs on the memory adapters: a program, not a test. `--json` prints the figures for other programs.
const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, tasks: { type: 'string', default: '20000' } } })

const figures: readonly Figure[] = [
  ...(await throughput(Number(values.tasks))),
  ...(await submitToResult(2_000)),
  ...(await cancelToSignal(1_000)),
  ...(await memory()),
]
const machine = { node: process.version, cores: cpus().length, model: cpus()[0]?.model }

if (values.json) console.log(JSON.stringify({ machine, figures }, undefined, 2))
else {
  console.log(`Node ${machine.node}, ${machine.cores} × ${machine.model}`)
  printTable(figures)
}
