import type { EngineFigure, Program } from '../bench.ts'
import { endAll, freshPrefix, startNodes } from '../bench.ts'
import type { Burst } from '../burst.ts'
import type { Measured } from '../measured.ts'
import { measure, median, processorDetail, processorTotal, range } from '../measured.ts'

const slots = 64
const nodes = { 'worker-1': slots, 'worker-2': slots, submitter: 0 }
const rounds = 6

/** How long a burst is to take, in seconds: leases are renewed and janitors look meanwhile. */
const burstSeconds = 12

/** What it costs that nodes show that they live, and look for what was lost. */
export const safety: Program = {
  about: 'no-op tasks with leases and janitors, beside the same without, in turn',
  longestMs: 600_000,
  async run(bench): Promise<readonly EngineFigure[]> {
    const guarded = await startNodes(bench, { prefix: freshPrefix(), nodes })
    const unguarded = await startNodes(bench, { prefix: freshPrefix(), nodes, isUnguarded: true })
    try {
      const first: Burst = { count: Math.ceil(2_000 * bench.scale), atOnce: 64, awaits: 'all' }
      for (const cluster of [guarded, unguarded]) await measure(bench, cluster, first)
      const { tasksPerSecond } = await measure(bench, guarded, first)
      const burst: Burst = { ...first, count: Math.ceil(tasksPerSecond * burstSeconds * bench.scale) }
      const [on, off]: readonly [Measured[], Measured[]] = [[], []]
      for (let round = 0; round < rounds; round++) {
        // By turns the first: a server that warms up, or a machine that gets busy, favours neither.
        const turns = [
          async () => on.push(await measure(bench, guarded, burst)),
          async () => off.push(await measure(bench, unguarded, burst)),
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
          value: processorTotal(on),
          unit: 'ms',
          floor: processorTotal(off),
          detail: processorDetail(on),
          aim: '≤ 1.05 of the floor',
        },
      ]
    } finally {
      await endAll([...guarded, ...unguarded])
    }
  },
}
