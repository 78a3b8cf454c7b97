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
const filters: readonly TaskFilter[] = [{}, { statuses: ['completed', 'failed'] }, { type: 'reindex', label: 'red' }]

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
    /** The first page by each filter, and one from the middle. */
    const sample = async (middle: string | undefined): Promise<number> => {
      const begun = performance.now()
      for (const filter of filters) await port.list(filter, { limit: 10 })
      await port.list({}, { limit: 10, ...(middle === undefined ? {} : { cursor: middle }) })
      return performance.now() - begun
    }
    const middleOf = async (pages: number): Promise<string | undefined> => {
      let cursor: string | undefined
      for (let page = 0; page < pages; page++) cursor = (await port.list({}, { limit: few / 2, ...(cursor === undefined ? {} : { cursor }) })).cursor
      return cursor
    }
    const samplesOf = async (pages: number): Promise<readonly number[]> => {
      const middle = await middleOf(pages)
      for (let warmUp = 0; warmUp < 5; warmUp++) await sample(middle)
      const samples: number[] = []
      for (let round = 0; round < 25; round++) samples.push(await sample(middle))
      return samples.sort((a, b) => a - b)
    }

    await growTo(few)
    const small = await samplesOf(1)
    await growTo(many)
    const large = await samplesOf(many / few)
    // A busy machine makes single pages slow, never one fast: the fastest of many is held against the middle of few.
    const [usual, fastest] = [small[12] ?? 0, large[0] ?? 0]
    observe({ usualMsAmong100: usual, fastestMsAmong10000: fastest, middleMsAmong10000: large[12] })
    assert.ok(
      fastest < Math.max(floorMs, tooManyTimes * usual),
      `four pages take ${fastest.toFixed(1)} ms among ${many} tasks, and took ${usual.toFixed(1)} ms among ${few}`,
    )
  },
}
