import process from 'node:process'
import type { Bench, Program } from '../bench.ts'
import { aimOnServers } from '../bench.ts'
import { jamesLives } from '../floors/james-like.ts'
import { submitters } from '../measure/clusters.ts'
import type { Measured } from '../measure/measured.ts'
import { measure, processorDetail, processorTotal, serverMs } from '../measure/measured.ts'
import { processorMs } from '../measure/processor-time.ts'
import type { Burst } from '../nodes/burst.ts'
import { clientOf } from '../platforms/endpoints.ts'
import type { Figure } from '../report/figures.ts'
import { median, range } from '../report/figures.ts'

/** Many short bursts, in turn: other load on the machine then slows all of them alike. */
const rounds = 6

/** Bursts of the framework, of the floor and of James-like lives, in turn. */
export const throughput: Program = {
  about: 'no-op tasks end to end: two workers and 64 submitters, beside the floor of the same work without the framework',
  on: ['memory', 'servers'],
  async run(bench): Promise<readonly Figure[]> {
    const { platform, scale } = bench
    const { framework, floor } = await warmClusters(bench)
    await using james = openJames(bench)
    const figures: Figure[] = []
    for (const awaits of ['all', 'each'] as const) {
      // The size of a burst depends on the rate.
      const first: Burst = { count: Math.ceil(2_000 * scale), atOnce: submitters, awaits }
      await measure(platform, floor, first)
      const { tasksPerSecond } = await measure(platform, framework, first)
      const burst = { ...first, count: Math.ceil(Math.max(600, tasksPerSecond * 2) * scale) }
      const [ours, bare, lives]: readonly [Measured[], Measured[], JamesMeasured[]] = [[], [], []]
      for (let round = 0; round < rounds; round++) {
        ours.push(await measure(platform, framework, burst))
        bare.push(await measure(platform, floor, burst))
        if (awaits === 'all' && james !== undefined) lives.push(await james.measure())
      }
      figures.push(...figuresOf(bench, burst, ours, bare), ...jamesFigures(bench, lives, ours, bare))
    }
    return figures
  },
}

const warmClusters = async (bench: Bench): ReturnType<Bench['clusters']> => {
  const clusters = await bench.clusters()
  await clusters.warmUp()
  return clusters
}

const rateOf = (all: readonly Measured[]): number => median(all.map((one) => one.tasksPerSecond))

const figuresOf = (bench: Bench, { awaits, count }: Burst, ours: readonly Measured[], bare: readonly Measured[]): readonly Figure[] => {
  const { platform } = bench
  const how = awaits === 'all' ? 'a burst' : 'each awaited before the next'
  return [
    {
      name: `no-op tasks, ${how}`,
      value: rateOf(ours),
      unit: 'tasks/s',
      floor: rateOf(bare),
      detail: `${count} tasks a burst, ${range(ours.map((one) => one.tasksPerSecond))}`,
      ...aimOnServers(bench, '≥ 0.6 of the floor; about 2,000 when idle'),
    },
    {
      name: `processor time per task, ${how}`,
      value: processorTotal(platform, ours),
      unit: 'ms',
      floor: processorTotal(platform, bare),
      detail: processorDetail(platform, ours),
    },
  ]
}

interface JamesMeasured {
  readonly livesPerSecond: number
  /** Of this process and of Cassandra, for one life. */
  readonly processorMs: number
}

/** Measures James-like lives, where there are servers. */
const openJames = ({ platform, scale }: Bench): (AsyncDisposable & { measure(): Promise<JamesMeasured> }) | undefined => {
  if (platform.servers === undefined) return undefined
  const { endpoints, own } = platform.servers
  const client = clientOf(endpoints)
  const time = (): number => processorMs(process.pid) + serverMs(own?.cassandra)
  const forMs = 2_000 * scale
  return {
    measure: async () => {
      const before = time()
      const livesPerSecond = await jamesLives(client, forMs)
      return { livesPerSecond, processorMs: (time() - before) / ((livesPerSecond * forMs) / 1_000) }
    },
    [Symbol.asyncDispose]: () => client.shutdown(),
  }
}

const jamesFigures = (
  { platform }: Bench,
  lives: readonly JamesMeasured[],
  ours: readonly Measured[],
  bare: readonly Measured[],
): readonly Figure[] => {
  if (lives.length === 0) return []
  const rate = median(lives.map((one) => one.livesPerSecond))
  const ms = median(lives.map((one) => one.processorMs))
  return [
    {
      name: 'no-op tasks against James-like lives',
      value: rateOf(ours) / rate,
      unit: '×',
      detail: `James-like ${rate.toFixed(0)} lives/s, store alone; the floor ${(rateOf(bare) / rate).toFixed(1)} ×`,
      aim: '≥ 5',
    },
    {
      name: 'the same by processor time',
      value: ms / processorTotal(platform, ours),
      unit: '×',
      detail: `James-like ${ms.toFixed(2)} ms a life, store alone; the floor ${(ms / processorTotal(platform, bare)).toFixed(1)} ×`,
    },
  ]
}
