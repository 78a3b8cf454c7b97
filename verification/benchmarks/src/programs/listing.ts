import { randomUUID } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import type { TaskDetails, TaskId } from '@taskledger/core'
import type { Program } from '../bench.ts'
import { aimOnServers } from '../bench.ts'
import { timeOf } from '../measure/pace.ts'
import { openStorage } from '../nodes/open-manager.ts'
import { freshPrefix } from '../nodes/prefix.ts'
import type { Figure } from '../report/figures.ts'
import { quantile } from '../report/figures.ts'

const sizes = [1_000, 10_000, 100_000]

/** 28 tasks a second, for an hour. */
const spacingMs = 36

const detailsOf = (index: number, now: number): TaskDetails => {
  const createdAt = now - index * spacingMs
  return {
    taskId: randomUUID() as TaskId,
    type: 'noop',
    typeVersion: 1,
    status: 'completed',
    version: 3,
    queue: 'default',
    labels: [],
    createdAt,
    createdOn: 'front-end',
    updatedAt: createdAt + 10,
    attempt: 1,
    startedAt: createdAt + 5,
    node: 'worker',
    finishedAt: createdAt + 10,
  }
}

/** A page of the newest tasks, in a list that grows. */
export const listing: Program = {
  about: 'the newest 50 of 1,000, 10,000 and 100,000 finished tasks',
  on: ['memory', 'servers'],
  async run(bench): Promise<readonly Figure[]> {
    const { platform, scale } = bench
    const storage = await openStorage(platform.target, freshPrefix())
    try {
      const figures: Figure[] = []
      const now = Date.now()
      let saved = 0
      for (const size of sizes.map((size) => Math.ceil(size * scale))) {
        const from = saved
        const ms = await timeOf(size - from, 1_024, (index) => storage.listing.save(detailsOf(from + index, now)))
        const rate = ((size - from) / ms) * 1_000
        saved = size
        const samples: number[] = []
        for (let index = -50; index < 150; index++) {
          const startedAt = performance.now()
          const { tasks } = await storage.listing.list({}, { limit: 50 })
          if (index >= 0) samples.push(performance.now() - startedAt)
          if (tasks.length !== Math.min(50, size)) throw new Error(`a page of 50 has ${tasks.length} tasks`)
        }
        figures.push({
          name: `list the newest 50 of ${size.toLocaleString('en')}, p50`,
          value: quantile(samples, 0.5),
          unit: 'ms',
          detail: `p99 ${quantile(samples, 0.99).toFixed(1)}; rows saved at ${rate.toFixed(0)}/s`,
          ...aimOnServers(bench, 'under 10, and flat'),
        })
      }
      return figures
    } finally {
      await storage.close()
    }
  },
}
