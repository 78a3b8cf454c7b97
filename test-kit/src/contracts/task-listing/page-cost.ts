import assert from 'node:assert/strict'
import { performance } from 'node:perf_hooks'
import type { TaskFilter, TaskListing } from '@taskledger/core/ports'
import type { Rule } from '../../rule.ts'
import { detailsWith, leapDay } from './sample-details.ts'

const few = 100
const many = 10_000
/** A scan of everything costs 100 times as much. */
const tooManyTimes = 20
/** What is over so quickly says nothing about how it was found, in milliseconds. */
const floorMs = 5
const rounds = 15
const filters: readonly TaskFilter[] = [{}, { statuses: ['completed', 'failed'] }, { type: 'reindex', label: 'red' }]

/** A page, and how many milliseconds it took each time, the fastest first. */
interface Samples {
  readonly page: string
  readonly ms: readonly number[]
}

/** Lists the first page by each filter, and one from the middle, again and again. */
const samplePages = async (listing: TaskListing, rows: number): Promise<readonly Samples[]> => {
  const limit = Math.min(1_000, rows / 2)
  let cursor: string | undefined
  for (let passed = 0; passed < rows / 2; passed += limit) {
    cursor = (await listing.list({}, { limit, ...(cursor === undefined ? {} : { cursor }) })).cursor
  }
  assert.ok(cursor !== undefined, 'there is a next page in the middle of the list')
  const middle = { limit: 10, cursor }
  const pages = [
    ...filters.map((filter) => ({ page: `the first by ${JSON.stringify(filter)}`, list: () => listing.list(filter, { limit: 10 }) })),
    { page: 'one from the middle', list: () => listing.list({}, middle) },
  ]
  const samples = pages.map(({ page }) => ({ page, ms: [] as number[] }))
  for (let round = -5; round < rounds; round++) {
    for (const [index, { list }] of pages.entries()) {
      const begun = performance.now()
      await list()
      // The first rounds warm up.
      if (round >= 0) samples[index]?.ms.push(performance.now() - begun)
    }
  }
  for (const { ms } of samples) ms.sort((a, b) => a - b)
  return samples
}

export const pageCostRule: Rule<TaskListing> = {
  id: 'TL-2.5',
  level: 'must',
  kind: 'plain',
  title: 'the cost of a page does not grow with the history: among 10,000 tasks it is what it is among 100',
  hint: 'let the engine seek to where the page begins; sorting, counting, skipping or filtering everything costs a hundred times as much',
  run: async ({ port, random, observe }) => {
    let rows = 0
    const growTo = async (count: number): Promise<void> => {
      while (rows < count) {
        const batch = Array.from({ length: Math.min(100, count - rows) }, () => {
          const status = rows % 2 === 0 ? 'completed' : 'waiting'
          return detailsWith(random, { createdAt: leapDay + rows++ * 10_000, status, labels: rows % 3 === 0 ? [] : ['red'] })
        })
        await Promise.all(batch.map((details) => port.save(details)))
      }
    }
    await growTo(few)
    const among100 = await samplePages(port, few)
    await growTo(many)
    const among10000 = await samplePages(port, many)
    observe({ among100, among10000 })
    for (const [index, { page, ms }] of among10000.entries()) {
      // A busy machine makes single pages slow, never one fast: the fastest among many rows is held against the usual among few.
      const [fastest = 0] = ms
      const usual = among100[index]?.ms[Math.floor(rounds / 2)] ?? 0
      assert.ok(
        fastest < Math.max(floorMs, tooManyTimes * usual),
        `a page (${page}) takes ${fastest.toFixed(1)} ms among ${many} tasks, and took ${usual.toFixed(1)} ms among ${few}`,
      )
    }
  },
}
