import { describe, expect, it } from 'vitest'
import type { SortedSource } from '../../../src/listing/tables/merge.ts'
import { mergeSorted } from '../../../src/listing/tables/merge.ts'
import { allOf } from '../samples.ts'

/** A source of numbers in pages of a size, and after which items it was asked. */
const sourceOf = (numbers: readonly number[], size: number): { source: SortedSource<number>; asked: (number | undefined)[] } => {
  const asked: (number | undefined)[] = []
  return {
    asked,
    source: async (after) => {
      asked.push(after)
      const rest = after === undefined ? numbers : numbers.filter((number) => number > after)
      return { items: rest.slice(0, size), more: rest.length >= size }
    },
  }
}

const ascending = (a: number, b: number): number => a - b

describe('sorted sources', () => {
  it('are walked as one, whatever the sizes of their pages', async () => {
    const lists = [[1, 4, 7, 8, 9], [], [2, 3, 5, 6], [10]]
    for (const size of [1, 2, 5]) {
      const sources = lists.map((numbers) => sourceOf(numbers, size).source)
      expect(await allOf(mergeSorted(sources, ascending))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    }
  })

  it('are asked for no more than was walked', async () => {
    const [low, high] = [sourceOf([1, 2, 3, 4], 2), sourceOf([11, 12, 13], 2)]
    const walk = mergeSorted([low.source, high.source], ascending)
    for (const expected of [1, 2]) expect((await walk.next()).value).toBe(expected)
    expect(low.asked).toEqual([undefined])
    expect((await walk.next()).value).toBe(3)
    expect(low.asked).toEqual([undefined, 2])
    expect(high.asked).toEqual([undefined])
  })

  it('end the walk where one of them fails', async () => {
    const failing: SortedSource<number> = async (after) => {
      if (after !== undefined) throw new Error('no answer')
      return { items: [1], more: true }
    }
    const walk = mergeSorted([failing], ascending)
    expect((await walk.next()).value).toBe(1)
    await expect(walk.next()).rejects.toThrow('no answer')
  })
})
