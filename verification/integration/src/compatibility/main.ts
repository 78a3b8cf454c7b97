/** `pnpm compatibility`: runs every contract on real servers, and writes docs/compatibility.md. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { exitOnSignals, ServerNotAvailable, WrongEnvironment } from '@taskledger/servers'
import type { Contract, Harness, Report } from '@taskledger/test-kit'
import {
  eventBusContract,
  eventStoreContract,
  nodeRegistryContract,
  taskListingContract,
  taskManagerContract,
  workQueueContract,
} from '@taskledger/test-kit'
import { pageOf, reportsOn } from './page.ts'
import { runEngines } from './run.ts'

const page = join(import.meta.dirname, '../../../../docs/compatibility.md')

const nowhere: Harness<never> = { name: 'nowhere', open: () => Promise.reject(new Error('only the rules of this contract are read')) }

/** As they stand on the page. */
const contracts: readonly Contract<unknown>[] = [
  eventStoreContract(nowhere),
  taskListingContract(nowhere),
  nodeRegistryContract(nowhere),
  workQueueContract(nowhere),
  eventBusContract(nowhere),
  taskManagerContract(nowhere),
]
const names = contracts.map(({ name }) => name)

const help = `Runs the conformance contracts on real servers, prints a report for each, and writes docs/compatibility.md.
The results of other engines and versions stay on the page.

pnpm compatibility [options] [contract …]

Contracts: ${names.join(', ')}. Default: all.

  --titles   runs nothing: writes the page again with the present titles of the rules
  --help     prints this

A server that the environment names is used as it is (CASSANDRA_CONTACT_POINTS, AMQP_URL). All others are started, and restarted where a
rule needs it; CASSANDRA_VERSION chooses the version of a Cassandra that is started.

Exit codes: 0 every rule that could be shown holds, 1 a rule failed, 2 wrong arguments or servers.`

interface Arguments {
  readonly isHelp: boolean
  readonly isTitles: boolean
  readonly wanted: readonly string[]
}

/** The arguments; a sentence where they are wrong. */
const readArguments = (): Arguments | string => {
  try {
    const options = { help: { type: 'boolean', default: false }, titles: { type: 'boolean', default: false } } as const
    const { values, positionals } = parseArgs({ allowPositionals: true, options })
    const unknown = positionals.filter((name) => !names.includes(name))
    if (unknown.length > 0) return `there is no contract ${unknown.join(', ')}: give ${names.join(', ')}`
    return { isHelp: values.help, isTitles: values.titles, wanted: positionals }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const isSame = (one: Report, other: Report): boolean => one.contract === other.contract && one.subject === other.subject

const main = async (): Promise<number> => {
  const given = readArguments()
  if (typeof given === 'string') {
    console.error(`${given}\n\n${help}`)
    return 2
  }
  if (given.isHelp) {
    console.log(help)
    return 0
  }
  const isWanted = (name: string): boolean => !given.isTitles && (given.wanted.length === 0 || given.wanted.includes(name))
  const say = (line: string): void => console.error(line)
  const reports = given.isTitles ? [] : await runEngines({ say, show: (text) => console.log(text), isWanted })
  const earlier = reportsOn(await readFile(page, 'utf8'), contracts)
  const kept = earlier.map((report) => reports.find((each) => isSame(each, report)) ?? report)
  const added = reports.filter((report) => !earlier.some((each) => isSame(each, report)))
  await writeFile(page, pageOf(contracts, [...kept, ...added]))
  if (given.isTitles) return 0
  const isWhole = reports.every(({ ok }) => ok)
  const subjects = [...new Set(reports.map(({ subject }) => subject))].join('; ')
  console.log(`${subjects}: ${isWhole ? 'every rule that could be shown holds' : 'a rule failed'}`)
  return isWhole ? 0 : 1
}

exitOnSignals()
try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof ServerNotAvailable || error instanceof WrongEnvironment)) throw error
  console.error(error.message)
  process.exitCode = 2
}
