import type { Program } from '../bench.ts'
import { nodes, slots, submitters } from '../measure/clusters.ts'
import type { Counts } from '../measure/counts.ts'
import { sumOf } from '../measure/counts.ts'
import type { Burst } from '../nodes/burst.ts'
import { endAll } from '../nodes/child.ts'
import { freshPrefix } from '../nodes/prefix.ts'
import type { Cluster } from '../platforms/platform.ts'
import type { Figure } from '../report/figures.ts'

const perTask = (name: string, value: number, floor: number, unit: string, detail: string): Figure => ({
  name: `per task: ${name}`,
  value,
  floor,
  unit,
  detail,
})

const describe = (count: number, ours: Counts, bare: Counts, how: string): readonly Figure[] => {
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

/** The requests and messages of a task, counted at the drivers, beside those of the floor. */
export const statements: Program = {
  about: 'statements and messages per task, counted at the drivers, beside those of the floor',
  on: ['servers'],
  async run({ platform, scale }): Promise<readonly Figure[]> {
    const framework = await platform.startNodes({ prefix: freshPrefix(), nodes, isCounting: true })
    const floor = await platform.startFloor({ slots, isCounting: true })
    try {
      const counted = async (cluster: Cluster, burst: Burst): Promise<Counts> => {
        await Promise.all(cluster.map((child) => child.call('counts')))
        await cluster.at(-1)?.call('burst', burst)
        return sumOf(await Promise.all(cluster.map((child) => child.call('counts'))))
      }
      const compared = async (count: number, atOnce: number, how: string): Promise<readonly Figure[]> => {
        const burst: Burst = { count, atOnce, awaits: atOnce === 1 ? 'each' : 'all' }
        // Once to warm up: the first tasks of a minute also write the index of partitions.
        await counted(framework, burst)
        return describe(count, await counted(framework, burst), await counted(floor, burst), how)
      }
      return [
        ...(await compared(Math.ceil(2_000 * scale), submitters, 'in a burst')),
        ...(await compared(Math.ceil(200 * scale), 1, 'one at a time')),
      ]
    } finally {
      await endAll([...framework, ...floor])
    }
  },
}
