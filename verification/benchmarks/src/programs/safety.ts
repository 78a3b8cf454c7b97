import type { Program } from '../bench.ts'
import { nodes } from '../measure/clusters.ts'
import type { Measured } from '../measure/measured.ts'
import { measure, processorDetail, processorTotal } from '../measure/measured.ts'
import type { Burst } from '../nodes/burst.ts'
import { endAll } from '../nodes/child.ts'
import { freshPrefix } from '../nodes/prefix.ts'
import type { Figure } from '../report/figures.ts'
import { median, range } from '../report/figures.ts'

const rounds = 6

/** How long a burst takes, in seconds: meanwhile leases are renewed and janitors sweep. */
const burstSeconds = 12

/** The cost of leases and janitors. */
export const safety: Program = {
  about: 'no-op tasks with leases and janitors, beside the same without, in turn',
  on: ['servers'],
  isLong: true,
  maxMs: 600_000,
  async run({ platform, scale }): Promise<readonly Figure[]> {
    const guarded = await platform.startNodes({ prefix: freshPrefix(), nodes })
    const unguarded = await platform.startNodes({ prefix: freshPrefix(), nodes, isUnguarded: true })
    try {
      const first: Burst = { count: Math.ceil(2_000 * scale), atOnce: 64, awaits: 'all' }
      for (const cluster of [guarded, unguarded]) await measure(platform, cluster, first)
      const { tasksPerSecond } = await measure(platform, guarded, first)
      const burst: Burst = { ...first, count: Math.ceil(tasksPerSecond * burstSeconds * scale) }
      const [on, off]: readonly [Measured[], Measured[]] = [[], []]
      for (let round = 0; round < rounds; round++) {
        // The order alternates: a server that warms up, or a machine that gets busy, favours neither.
        const turns = [
          async () => on.push(await measure(platform, guarded, burst)),
          async () => off.push(await measure(platform, unguarded, burst)),
        ]
        for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn()
      }
      const [onRates, offRates] = [on, off].map((all) => all.map((one) => one.tasksPerSecond)) as [number[], number[]]
      return [
        {
          name: 'no-op tasks with leases and janitors; floor: without',
          value: median(onRates),
          unit: 'tasks/s',
          floor: median(offRates),
          detail: `${rounds} bursts of ${burst.count} each; ${range(onRates)}, without ${range(offRates)}`,
          aim: '≥ 0.95 of the floor',
        },
        {
          name: 'processor time per task; floor: without',
          value: processorTotal(platform, on),
          unit: 'ms',
          floor: processorTotal(platform, off),
          detail: processorDetail(platform, on),
          aim: '≤ 1.05 of the floor',
        },
      ]
    } finally {
      await endAll([...guarded, ...unguarded])
    }
  },
}
