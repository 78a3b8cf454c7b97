import { mkdirSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import process from 'node:process'
import { parseArgs } from 'node:util'
import type { Bench, EngineFigure, Program } from './bench.ts'
import { Clusters } from './clusters.ts'
import { settingsOf } from './engines.ts'
import { openEngines } from './open-engines.ts'
import { cohorts } from './programs/cohorts.ts'
import { floors } from './programs/floors.ts'
import { kills } from './programs/kills.ts'
import { cancelling, latency } from './programs/latency.ts'
import { listing } from './programs/listing.ts'
import { outages } from './programs/outages.ts'
import { safety } from './programs/safety.ts'
import { submitting } from './programs/submitting.ts'
import { statements, throughput } from './programs/throughput.ts'
import { waitingMemory } from './programs/waiting-memory.ts'
import { longestWarmUpMs, warmUp } from './warm-up.ts'
import { rounded } from '../figures.ts'

const programs: Readonly<Record<string, Program>> = {
  // First: it goes on with the processes that warmed the servers up.
  throughput,
  floors,
  cohorts,
  statements,
  latency,
  cancelling,
  listing,
  submitting,
  memory: waitingMemory,
  kills,
  outages,
  safety,
}

/** No program may take longer that does not say so, in milliseconds. */
const usualLongestMs = 300_000

const namesWhere = (isLong: boolean): readonly string[] =>
  Object.keys(programs).filter((name) => (programs[name]?.longestMs !== undefined) === isLong)

const describe = (names: readonly string[]): string => names.map((name) => `  ${name.padEnd(12)}${programs[name]?.about ?? ''}`).join('\n')

const help = `The figures of Taskledger on Cassandra and RabbitMQ, each beside what it costs without the framework.

node benchmarks/src/engines/main.ts [options] [program …]

${describe(namesWhere(false))}

Only where they are named, since they take minutes:

${describe(namesWhere(true))}

  --sync batch|periodic   start servers of its own, with this commitlog_sync; without it, servers that can be found
  --scale 0.2             less of everything
  --outage 60             how long an outage lasts, in seconds
  --json                  for other programs
  --log FOLDER            nodes log there
  --cpu-prof FOLDER       processes leave their profiles there`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sync: { type: 'string' },
    scale: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    outage: { type: 'string', default: '60' },
    log: { type: 'string' },
    'cpu-prof': { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const scale = Number(values.scale)
const outageMs = Number(values.outage) * 1_000

interface LoadedFigure extends EngineFigure {
  readonly program: string
  /** The load of the machine over the last minute: while it began, and when it had ended. */
  readonly load: readonly [number, number]
}

const withinMs = async <T>(what: string, ms: number, work: Promise<T>): Promise<T> => {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms / 1_000} s`)), ms)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}

const minuteLoad = (): number => loadavg()[0] ?? Number.NaN

const printTable = (figures: readonly LoadedFigure[]): void => {
  const cells = ({ name, value, unit, floor, aim, load, detail }: LoadedFigure): readonly string[] => [
    name,
    `${rounded(value)} ${unit}`,
    floor === undefined ? '' : rounded(floor),
    floor === undefined ? '' : rounded(value / floor),
    aim ?? '',
    load.map((one) => one.toFixed(1)).join(' → '),
    detail ?? '',
  ]
  const rows = [['figure', 'value', 'floor', 'of floor', 'aim', 'load', ''], ...figures.map(cells)]
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
}

const run = async (names: readonly string[], sync: 'batch' | 'periodic' | undefined): Promise<void> => {
  if (values.log !== undefined) mkdirSync(values.log, { recursive: true })
  const { engines, origin, own, close } = await openEngines(sync)
  let clusters: Promise<Clusters> | undefined
  const endClusters = async (): Promise<void> => {
    const ending = clusters
    clusters = undefined
    await (await ending)?.end()
  }
  const interrupted = new Promise<never>((_resolve, reject) => process.once('SIGINT', () => reject(new Error('interrupted'))))
  try {
    const machine = {
      node: process.version,
      cores: cpus().length,
      model: cpus()[0]?.model,
      cassandra: engines.cassandra.version,
      rabbitmq: engines.amqp.version,
      servers: origin,
      ...(await settingsOf(engines)),
    }
    const about = `Cassandra ${machine.cassandra}, commitlog_sync ${machine.commitlogSync}, paxos ${machine.paxosVariant}; RabbitMQ ${machine.rabbitmq} (${origin}); Node ${machine.node}, ${machine.cores} × ${machine.model}`
    console.error(about)
    const bench: Bench = {
      engines,
      own,
      scale,
      profileInto: values['cpu-prof'],
      logInto: values.log,
      outageMs,
      clusters: () => (clusters ??= Clusters.start(bench)),
    }
    const warmMs = await withinMs('warming up', longestWarmUpMs, warmUp(bench))
    if (warmMs > 0) console.error(`Cassandra is warm after ${(warmMs / 1_000).toFixed(0)} s of work`)
    const figures: LoadedFigure[] = []
    for (const name of names) {
      const program = programs[name] as Program
      // Idle ones take their share too, and what some programs do to the servers is not for them.
      if (program !== throughput) await endClusters()
      const before = minuteLoad()
      try {
        const measured = await withinMs(name, program.longestMs ?? usualLongestMs, Promise.race([program.run(bench), interrupted]))
        const load = [before, minuteLoad()] as const
        figures.push(...measured.map((figure) => ({ program: name, ...figure, load })))
        console.error(`${name}: ${measured.length} figures`)
      } catch (error) {
        process.exitCode = 1
        console.error(`${name} failed:`, error)
      }
    }
    if (values.json) console.log(JSON.stringify({ machine, figures }, undefined, 2))
    else {
      console.log(about)
      printTable(figures)
    }
  } finally {
    try {
      await endClusters()
    } finally {
      await close()
    }
  }
}

const names = positionals.length > 0 ? positionals : namesWhere(false)
const unknown = names.find((name) => !Object.hasOwn(programs, name))
const { sync } = values
if (values.help) console.log(help)
else if (unknown !== undefined || !(scale > 0) || !(outageMs > 0) || (sync !== undefined && sync !== 'batch' && sync !== 'periodic')) {
  console.error(help)
  process.exitCode = 2
} else {
  await run(names, sync)
  // A program that took too long may have left something running.
  process.exit()
}
