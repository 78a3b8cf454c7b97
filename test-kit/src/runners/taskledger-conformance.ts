#!/usr/bin/env node
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { codeOf } from '@taskledger/core/ports'
import { messageOf } from '../framework/failure.ts'
import { bounded } from '../framework/deadlines.ts'
import { LiveReport } from '../reports/live.ts'
import { countsOf } from '../reports/text.ts'
import { formatTable } from '../reports/table.ts'
import { toJUnit } from '../reports/junit.ts'
import type { Contract, Report } from '../framework/rule.ts'
import type { RunContractOptions } from '../framework/run-contract.ts'
import { runContract, selectedRules } from '../framework/run-contract.ts'
import { seedOf } from '../framework/settings.ts'

const usage = `Usage: taskledger-conformance HARNESS... [options]

HARNESS is a module whose exports are contracts, or lists of them; several may be given:
  export default eventStoreContract({ name: 'mine 1.0', open: async ({ namespace }) => ... })
A harness in TypeScript needs a Node.js that strips types (22.18 or newer).

Options:
  --only ID        only rules whose id begins with ID (ES-2); may be given several times
  --report FILE    writes a report; .xml: JUnit, .json: JSON, .md: a table in Markdown; may be given several times
  --seed N         repeats the order of an earlier run
  --help           shows this text

Each step of a harness has a bound: 60 s to import the module, 60 s for open, 120 s for a fault or another hook, 10 s to close a client,
30 s for the disposal. The harness may set its own (timing); CONTRACT_TIME_SCALE=5 multiplies all of them. After three rules in which the
harness hangs, the other rules of the contract are not tried.

Exit status: 0 every rule that could be tried holds, 1 a rule does not hold, 2 the contracts could not be run.`

class UsageError extends Error {}

const isContract = (value: unknown): value is Contract<unknown> =>
  typeof value === 'object' && value !== null && 'rules' in value && Array.isArray(value.rules) && 'harness' in value

/** A module that does not end would keep the command silent. */
const importMs = 60_000

const importHarness = async (path: string): Promise<Record<string, unknown>> => {
  try {
    const imported = import(pathToFileURL(resolve(path)).href) as Promise<Record<string, unknown>>
    return await bounded(importMs, `the module ${path} is imported`, imported)
  } catch (cause) {
    if (/\.[cm]?ts$/.test(path) && codeOf(cause) === 'ERR_UNKNOWN_FILE_EXTENSION')
      throw new UsageError(
        `this Node.js (${process.version}) does not run TypeScript: use 22.18 or newer, or give the harness as JavaScript`,
        { cause },
      )
    throw cause
  }
}

const contractsOf = async (path: string): Promise<readonly Contract<unknown>[]> => {
  const contracts = Object.values(await importHarness(path))
    .flat()
    .filter(isContract)
  if (contracts.length === 0)
    throw new UsageError(`${path} exports no contract: export eventStoreContract(harness), say, or a list of contracts`)
  return contracts
}

const seedFrom = (text: string | undefined): number => {
  if (text === undefined) return seedOf({})
  const seed = Number(text)
  if (!Number.isSafeInteger(seed) || seed < 0) throw new UsageError(`--seed is "${text}": give a whole number`)
  return seed
}

const textOf = (file: string, reports: readonly Report[]): string => {
  if (file.endsWith('.xml')) return toJUnit(reports)
  if (file.endsWith('.json')) return `${JSON.stringify(reports, undefined, 2)}\n`
  if (file.endsWith('.md')) return formatTable(reports)
  throw new UsageError(`--report ${file}: give a file that ends in .xml (JUnit), .json or .md`)
}

/** Runs the contracts one after the other, and says meanwhile what happens. */
const runAll = async (contracts: readonly Contract<unknown>[], options: RunContractOptions): Promise<readonly Report[]> => {
  const live = new LiveReport(process.stdout)
  const ticking = setInterval(() => live.tick(), 200)
  const interrupt = (): void => {
    console.log(`\nInterrupted. These rules ran:${live.running.map((line) => `\n  ${line}`).join('')}`)
    process.exit(130)
  }
  process.once('SIGINT', interrupt)
  const reports: Report[] = []
  for (const contract of contracts) {
    const title = `${contract.name} (${contract.harness.name})`
    live.begin(
      title,
      selectedRules(contract, options).map(({ id }) => id),
    )
    const report = await runContract(contract, { ...options, onEvent: live.hear })
    live.end(title, report.results)
    reports.push(report)
  }
  clearInterval(ticking)
  process.off('SIGINT', interrupt)
  process.stdout.write(live.summary())
  return reports
}

const main = async (): Promise<number> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      only: { type: 'string', multiple: true },
      report: { type: 'string', multiple: true, default: [] },
      seed: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(usage)
    return 0
  }
  if (positionals.length === 0) throw new UsageError(`give a harness\n\n${usage}`)
  for (const file of values.report) textOf(file, [])
  const options = { seed: seedFrom(values.seed), only: values.only }
  const contracts = new Set<Contract<unknown>>()
  for (const path of positionals) for (const contract of await contractsOf(path)) contracts.add(contract)
  const chosen = [...contracts].filter((contract) => selectedRules(contract, options).length > 0)
  if (chosen.length === 0) throw new UsageError(`no rule is called ${values.only?.join(' or ')}`)
  const startedAt = performance.now()
  const reports = await runAll(chosen, options)
  for (const file of values.report) await writeFile(file, textOf(file, reports))
  const time = ((performance.now() - startedAt) / 1_000).toFixed(1)
  console.log(`${countsOf(reports.flatMap(({ results }) => results))} (seed ${options.seed}) in ${time} s`)
  return reports.every(({ ok }) => ok) ? 0 : 1
}

const isMistakeOfTheCaller = (error: unknown): error is Error =>
  error instanceof UsageError || (error instanceof Error && (codeOf(error) ?? '').startsWith('ERR_PARSE_ARGS'))

const statusOf = async (): Promise<number> => {
  try {
    return await main()
  } catch (error) {
    console.error(isMistakeOfTheCaller(error) ? `taskledger-conformance: ${error.message}` : messageOf(error))
    return 2
  }
}

const status = await statusOf()
// A harness may leave a pool open: the command must end all the same, after its output is written.
process.stdout.write('', () => process.exit(status))
