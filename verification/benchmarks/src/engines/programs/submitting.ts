import type { EngineFigure, Program } from '../bench.ts'
import { endAll, freshPrefix, startNodes } from '../bench.ts'

/** Submits to a queue that nobody takes from. */
export const submitting: Program = {
  about: 'submits, acknowledged, with no worker',
  async run(bench): Promise<readonly EngineFigure[]> {
    const [submitter] = await startNodes(bench, { prefix: freshPrefix(), nodes: { submitter: 0 } })
    if (submitter === undefined) return []
    try {
      const rate = async (count: number, atOnce: number): Promise<number> => {
        const { submittedMs } = await submitter.call('burst', { count: Math.ceil(count * bench.scale), atOnce, awaits: 'none' })
        return (Math.ceil(count * bench.scale) / submittedMs) * 1_000
      }
      await rate(3_000, 64)
      return [
        { name: 'submits, 64 at a time', value: await rate(6_000, 64), unit: 'submits/s' },
        { name: 'submits, one at a time', value: await rate(400, 1), unit: 'submits/s' },
      ]
    } finally {
      await endAll([submitter])
    }
  },
}
