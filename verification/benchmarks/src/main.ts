/** `pnpm bench`, `pnpm bench:engines`: the figures of Taskledger, as programs and not as tests. */
import { cpus, loadavg } from 'node:os'
import process from 'node:process'
import { within } from '@taskledger/core/ports'
import { exitOnSignals, ServerNotAvailable, WrongEnvironment } from '@taskledger/servers'
import type { Arguments } from './arguments.ts'
import { help, readArguments } from './arguments.ts'
import type { Bench, Program } from './bench.ts'
import { Clusters } from './measure/clusters.ts'
import { maxWarmUpMs, warmUp } from './measure/warm-up.ts'
import { memoryPlatform } from './platforms/memory.ts'
import type { Platform } from './platforms/platform.ts'
import { openServers } from './platforms/servers.ts'
import { programs } from './programs.ts'
import type { LoadedFigure } from './report/table.ts'
import { tableOf } from './report/table.ts'

const say = (line: string): void => console.error(line)

const openPlatform = async ({ platform, sync, logInto, profileInto }: Arguments): Promise<Platform> =>
  platform === 'memory' ? memoryPlatform : openServers({ say, sync, logInto, profileInto })

const bounded = <T>(what: string, timeoutMs: number, work: Promise<T>): Promise<T> =>
  within(work, {
    timeoutMs,
    onTimeout: () => {
      throw new Error(`${what} took longer than ${timeoutMs / 1_000} s`)
    },
  })

const defaultMaxMs = 300_000

const minuteLoad = (): number => loadavg()[0] ?? Number.NaN

/** Runs the programs one after the other. One that fails does not stop those after it. */
const runPrograms = async (bench: Bench, names: readonly string[], endClusters: () => Promise<void>): Promise<readonly LoadedFigure[]> => {
  const figures: LoadedFigure[] = []
  for (const name of names) {
    const program = programs.get(name) as Program
    // Idle clusters take processor time too, and other programs may kill the servers that they use.
    if (name !== 'throughput') await endClusters()
    const before = minuteLoad()
    try {
      const measured = await bounded(name, program.maxMs ?? defaultMaxMs, program.run(bench))
      const load = [before, minuteLoad()] as const
      figures.push(...measured.map((figure) => ({ program: name, ...figure, load })))
      say(`${name}: ${measured.length} figures`)
    } catch (error) {
      process.exitCode = 1
      console.error(`${name} failed:`, error)
    }
  }
  return figures
}

const main = async (given: Arguments): Promise<void> => {
  const platform = await openPlatform(given)
  const machine = { node: process.version, cores: cpus().length, model: cpus()[0]?.model, ...platform.facts }
  const about = `${platform.about}, ${machine.cores} × ${machine.model}`
  say(about)
  const { scale, outageMs } = given
  let clusters: Promise<Clusters> | undefined
  const endClusters = async (): Promise<void> => {
    const ending = clusters
    clusters = undefined
    await (await ending)?.end()
  }
  try {
    const bench: Bench = { platform, scale, outageMs, clusters: () => (clusters ??= Clusters.start({ platform, scale })) }
    const warmMs = await bounded('the warm-up', maxWarmUpMs, warmUp(bench))
    if (warmMs > 0) say(`Cassandra is warm after ${(warmMs / 1_000).toFixed(0)} s of load`)
    const figures = await runPrograms(bench, given.names, endClusters)
    if (given.isJson) console.log(JSON.stringify({ machine, figures }, undefined, 2))
    else for (const line of [about, ...tableOf(figures)]) console.log(line)
  } finally {
    try {
      await endClusters()
    } finally {
      await platform.close()
    }
  }
}

const given = readArguments(process.argv.slice(2))
if (typeof given === 'string') {
  say(`${given}\n\n${help}`)
  process.exitCode = 2
} else if (given.isHelp) console.log(help)
else {
  exitOnSignals()
  try {
    await main(given)
  } catch (error) {
    if (!(error instanceof ServerNotAvailable || error instanceof WrongEnvironment)) throw error
    say(error.message)
    process.exitCode = 2
  }
  // A program that took too long may have left something running.
  process.exit()
}
