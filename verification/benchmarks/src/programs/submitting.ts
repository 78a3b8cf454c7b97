import type { Program } from '../bench.ts'
import { endAll } from '../nodes/child.ts'
import { freshPrefix } from '../nodes/prefix.ts'
import type { Figure } from '../report/figures.ts'

/** Submits to a queue without a consumer. */
export const submitting: Program = {
  about: 'acknowledged submits, without a worker',
  on: ['memory', 'servers'],
  async run({ platform, scale }): Promise<readonly Figure[]> {
    const [submitter] = await platform.startNodes({ prefix: freshPrefix(), nodes: { submitter: 0 } })
    if (submitter === undefined) return []
    try {
      const rate = async (count: number, atOnce: number): Promise<number> => {
        const { submittedMs } = await submitter.call('burst', { count: Math.ceil(count * scale), atOnce, awaits: 'none' })
        return (Math.ceil(count * scale) / submittedMs) * 1_000
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
