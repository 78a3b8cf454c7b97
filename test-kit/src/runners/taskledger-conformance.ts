#!/usr/bin/env node
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { codeOf } from '@taskledger/core/ports'
import { messageOf } from '../framework/failure.ts'
import { countsOf, formatReport } from '../reports/text.ts'
import { formatTable } from '../reports/table.ts'
import { toJUnit } from '../reports/junit.ts'
import type { Contract, Report } from '../framework/rule.ts'
import { runContract } from '../framework/run-contract.ts'
import { seedOf } from '../framework/settings.ts'

const usage = `Usage: taskledger-conformance HARNESS [options]

HARNESS is a module whose exports are contracts, or lists of them:
  export default eventStoreContract({ name: 'mine 1.0', open: async ({ namespace }) => ... })
A harness in TypeScript needs a Node.js that strips types (22.18 or newer).

Options:
  --only ID        only rules whose id begins with ID (ES-2); may be given several times
  --report FILE    writes a report; .xml: JUnit, .json: JSON, .md: a table in Markdown; may be given several times
  --seed N         repeats the order of an earlier run
  --help           shows this text

Exit status: 0 every rule that could be tried holds, 1 a rule does not hold, 2 the contracts could not be run.`

class UsageError extends Error {}

const isContract = (value: unknown): value is Contract<unknown> =>
  typeof value === 'object' && value !== null && 'rules' in value && Array.isArray(value.rules) && 'harness' in value

const contractsOf = async (path: string): Promise<readonly Contract<unknown>[]> => {
  let module: Record<string, unknown>
  try {
    module = (await import(pathToFileURL(resolve(path)).href)) as Record<string, unknown>
  } catch (cause) {
    if (/\.[cm]?ts$/.test(path) && codeOf(cause) === 'ERR_UNKNOWN_FILE_EXTENSION')
      throw new UsageError(
        `this Node.js (${process.version}) does not run TypeScript: use 22.18 or newer, or give the harness as JavaScript`,
        { cause },
      )
    throw cause
  }
  const contracts = Object.values(module).flat().filter(isContract)
  if (contracts.length === 0)
    throw new UsageError(`${path} exports no contract: export eventStoreContract(harness), say, or a list of contracts`)
  return [...new Set(contracts)]
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
  const [path] = positionals
  if (path === undefined || positionals.length > 1) throw new UsageError(`give one harness\n\n${usage}`)
  for (const file of values.report) textOf(file, [])
  const seed = seedFrom(values.seed)
  const reports: Report[] = []
  for (const contract of await contractsOf(path)) {
    const report = await runContract(contract, { seed, ...(values.only === undefined ? {} : { only: values.only }) })
    reports.push(report)
    console.log(formatReport(report))
  }
  for (const file of values.report) await writeFile(file, textOf(file, reports))
  const results = reports.flatMap((report) => report.results)
  if (results.length === 0) throw new UsageError(`no rule is called ${values.only?.join(' or ')}`)
  console.log(`${countsOf(results)} (seed ${seed})`)
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
