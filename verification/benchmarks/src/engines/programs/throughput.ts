import process from 'node:process'
import type { Client } from 'cassandra-driver'
import type { Bench, EngineFigure, Program } from '../bench.ts'
import { endAll, freshPrefix, startBareNodes, startNodes } from '../bench.ts'
import type { Burst } from '../burst.ts'
import type { Counts } from '../counts.ts'
import { sumOf } from '../counts.ts'
import { clientOf } from '../engines.ts'
import { nodes, slots, submitters } from '../clusters.ts'
import type { Cluster, Measured } from '../measured.ts'
import { measure, median, processorDetail, processorTotal, range, serverMs } from '../measured.ts'
import { processorMs } from '../processor-time.ts'
import { jamesLives } from './floors.ts'

/** Many short ones, in turn: whoever shares the machine then slows all of them alike. */
const rounds = 6

interface JamesMeasured {
  readonly livesPerSecond: number
  /** Of this process and of Cassandra, for a life. */
  readonly processorMs: number
}

const measureJames = async ({ own, scale }: Bench, client: Client): Promise<JamesMeasured> => {
  const time = (): number => processorMs(process.pid) + serverMs(own?.cassandra)
  const forMs = 2_000 * scale
  const before = time()
  const livesPerSecond = await jamesLives(client, forMs)
  return { livesPerSecond, processorMs: (time() - before) / ((livesPerSecond * forMs) / 1_000) }
}

/** Bursts of the framework, of the floor and of James-like lives, in turn. */
export const throughput: Program = {
  about: 'no-op tasks end to end: two workers, 64 submitters in a third process, beside the floor of the same statements and messages',
  async run(bench): Promise<readonly EngineFigure[]> {
    const client = clientOf(bench.engines)
    await client.connect()
    try {
      const clusters = await bench.clusters()
      const { framework, bare } = clusters
      await clusters.warm()
      const figures: EngineFigure[] = []
      for (const awaits of ['all', 'each'] as const) {
        // The size of a burst goes by the rate.
        const first = { count: Math.ceil(2_000 * bench.scale), atOnce: submitters, awaits }
        await measure(bench, bare, first)
        const { tasksPerSecond } = await measure(bench, framework, first)
        const burst = { ...first, count: Math.ceil(Math.max(600, tasksPerSecond * 2) * bench.scale) }
        const [ours, floor, james]: readonly [Measured[], Measured[], JamesMeasured[]] = [[], [], []]
        for (let round = 0; round < rounds; round++) {
          ours.push(await measure(bench, framework, burst))
          floor.push(await measure(bench, bare, burst))
          if (awaits === 'all') james.push(await measureJames(bench, client))
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
        if (awaits === 'all') {
          const jamesRate = median(james.map((one) => one.livesPerSecond))
          const jamesMs = median(james.map((one) => one.processorMs))
          figures.push(
            {
              name: 'no-op tasks against James-like lives',
              value: median(rates) / jamesRate,
              unit: '×',
              detail: `James-like ${jamesRate.toFixed(0)} lives/s, store alone; the floor ${(floorRate / jamesRate).toFixed(1)} ×`,
              aim: '≥ 5',
            },
            {
              name: 'the same by processor time',
              value: jamesMs / processorTotal(ours),
              unit: '×',
              detail: `James-like ${jamesMs.toFixed(2)} ms a life, store alone; the floor ${(jamesMs / processorTotal(floor)).toFixed(1)} ×`,
            },
          )
        }
      }
      return figures
    } finally {
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
