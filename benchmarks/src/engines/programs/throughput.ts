import { quantile } from '../../figures.ts'
import type { Bench, BurstCommands, EngineFigure, Program } from '../bench.ts'
import { endAll, freshPrefix, startBareNodes, startNodes } from '../bench.ts'
import type { Burst } from '../burst.ts'
import type { Counts } from '../counts.ts'
import { sumOf } from '../counts.ts'
import { clientOf } from '../engines.ts'
import { processorMs } from '../processor-time.ts'
import type { Child } from '../rpc.ts'
import { jamesLives } from './floors.ts'

const slots = 64
const submitters = 64
const rounds = 3
const nodes = { 'worker-1': slots, 'worker-2': slots, submitter: 0 }

/** Three processes that can be asked for a burst; the last of them submits. */
type Cluster = readonly Omit<Child<BurstCommands>, 'hear'>[]

interface Measured {
  readonly tasksPerSecond: number
  readonly submitsPerSecond: number
  /** Processor time per task, in milliseconds: what counts where others use the machine too. */
  readonly clientsMs: number
  readonly cassandraMs: number
  readonly rabbitmqMs: number
}

const measure = async ({ pids }: Bench, cluster: Cluster, burst: Burst): Promise<Measured> => {
  const times = (): readonly [number, number, number] => [
    cluster.reduce((sum, { pid }) => sum + processorMs(pid), 0),
    pids.cassandra === undefined ? Number.NaN : processorMs(pids.cassandra),
    pids.rabbitmq === undefined ? Number.NaN : processorMs(pids.rabbitmq),
  ]
  const before = times()
  const { submittedMs, endedMs } = (await cluster.at(-1)?.call('burst', burst)) ?? { submittedMs: Number.NaN, endedMs: Number.NaN }
  const after = times()
  const perTask = (index: 0 | 1 | 2): number => (after[index] - before[index]) / burst.count
  return {
    tasksPerSecond: (burst.count / endedMs) * 1_000,
    submitsPerSecond: (burst.count / submittedMs) * 1_000,
    clientsMs: perTask(0),
    cassandraMs: perTask(1),
    rabbitmqMs: perTask(2),
  }
}

const median = (values: readonly number[]): number => quantile(values, 0.5)

const range = (values: readonly number[]): string => `${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)}`

const processorDetail = (all: readonly Measured[]): string => {
  const { clientsMs, cassandraMs, rabbitmqMs } = {
    clientsMs: median(all.map((one) => one.clientsMs)),
    cassandraMs: median(all.map((one) => one.cassandraMs)),
    rabbitmqMs: median(all.map((one) => one.rabbitmqMs)),
  }
  return `three processes ${clientsMs.toFixed(2)}, Cassandra ${cassandraMs.toFixed(2)}, RabbitMQ ${rabbitmqMs.toFixed(2)}`
}

const processorTotal = (all: readonly Measured[]): number =>
  median(all.map(({ clientsMs, cassandraMs, rabbitmqMs }) => clientsMs + cassandraMs + rabbitmqMs))

/** Bursts of the framework, of the floor and of James-like lives, in turn. */
export const throughput: Program = {
  about: 'no-op tasks end to end: two workers, 64 submitters in a third process, beside the floor of the same statements and messages',
  async run(bench): Promise<readonly EngineFigure[]> {
    const client = clientOf(bench.engines)
    await client.connect()
    const bare: Cluster = await startBareNodes(bench, slots)
    const framework: Cluster = await startNodes(bench, { prefix: freshPrefix(), nodes })
    try {
      const figures: EngineFigure[] = []
      for (const awaits of ['all', 'each'] as const) {
        // Warm-up: the compilers on both sides, and the rate that the size of a burst goes by.
        const first = { count: Math.ceil(600 * bench.scale), atOnce: submitters, awaits }
        await measure(bench, framework, first)
        await measure(bench, bare, first)
        const { tasksPerSecond } = await measure(bench, framework, first)
        const burst = { ...first, count: Math.ceil(Math.max(300, tasksPerSecond * 4 * bench.scale)) }
        const [ours, floor, james]: readonly [Measured[], Measured[], number[]] = [[], [], []]
        for (let round = 0; round < rounds; round++) {
          ours.push(await measure(bench, framework, burst))
          floor.push(await measure(bench, bare, burst))
          if (awaits === 'all') james.push(await jamesLives(client, 2_000 * bench.scale))
        }
        const how = awaits === 'all' ? 'a burst' : 'each awaited before the next'
        const rates = ours.map((one) => one.tasksPerSecond)
        const floorRate = median(floor.map((one) => one.tasksPerSecond))
        figures.push(
          {
            name: `no-op tasks, ${how}`,
            value: median(rates),
            unit: 'tasks/s',
            floor: floorRate,
            detail: `${burst.count} tasks a burst, ${range(rates)}`,
            aim: '≥ 0.6 of the floor; about 2,000 when idle',
          },
          {
            name: `processor time per task, ${how}`,
            value: processorTotal(ours),
            unit: 'ms',
            floor: processorTotal(floor),
            detail: processorDetail(ours),
          },
        )
        if (awaits === 'all')
          figures.push({
            name: `no-op tasks against James-like lives`,
            value: median(rates) / median(james),
            unit: '×',
            detail: `James-like ${median(james).toFixed(0)} lives/s, store alone`,
            aim: '≥ 5',
          })
      }
      return figures
    } finally {
      await endAll([...framework, ...bare])
      await client.shutdown()
    }
  },
}

const perTask = (name: string, value: number, floor: number, unit: string, detail: string): EngineFigure => ({
  name: `per task: ${name}`,
  value,
  floor,
  unit,
  detail,
})

const describe = (count: number, ours: Counts, bare: Counts, how: string): readonly EngineFigure[] => {
  const both = (of: (counts: Counts) => number): readonly [number, number] => [of(ours) / count, of(bare) / count]
  const text = (of: (counts: Counts) => number, what: string): string =>
    `${both(of)
      .map((one) => one.toFixed(2))
      .join(' and ')} ${what}`
  return [
    perTask(
      `conditional requests, ${how}`,
      ...both((of) => of.conditional),
      'requests',
      text((of) => of.conditionalStatements, 'statements'),
    ),
    perTask(
      `plain writes, ${how}`,
      ...both((of) => of.writes),
      'requests',
      text((of) => of.writtenStatements, 'statements'),
    ),
    perTask(
      `reads, ${how}`,
      ...both((of) => of.reads + of.serialReads),
      'requests',
      text((of) => of.serialReads, 'of them SERIAL'),
    ),
    perTask(
      `messages, ${how}`,
      ...both((of) => of.sent + of.announced),
      'messages',
      `${text((of) => of.announced, 'to all nodes')}; ${text((of) => of.delivered, 'deliveries')}`,
    ),
  ]
}

/** What the drivers send for a task, counted at the drivers, beside what the floor sends. */
export const statements: Program = {
  about: 'statements and messages per task, counted at the drivers, beside those of the floor',
  async run(bench): Promise<readonly EngineFigure[]> {
    const framework = await startNodes(bench, { prefix: freshPrefix(), nodes, isCounting: true })
    const bare = await startBareNodes(bench, slots, true)
    try {
      const counted = async (cluster: Cluster, burst: Burst): Promise<Counts> => {
        await Promise.all(cluster.map((child) => child.call('counts')))
        await cluster.at(-1)?.call('burst', burst)
        return sumOf(await Promise.all(cluster.map((child) => child.call('counts'))))
      }
      const compared = async (count: number, atOnce: number, how: string): Promise<readonly EngineFigure[]> => {
        const burst: Burst = { count, atOnce, awaits: atOnce === 1 ? 'each' : 'all' }
        // Once to warm up: the first tasks of a minute also write which partitions there are.
        await counted(framework, burst)
        return describe(count, await counted(framework, burst), await counted(bare, burst), how)
      }
      return [
        ...(await compared(Math.ceil(2_000 * bench.scale), submitters, 'in a burst')),
        ...(await compared(Math.ceil(200 * bench.scale), 1, 'one at a time')),
      ]
    } finally {
      await endAll([...framework, ...bare])
    }
  },
}
