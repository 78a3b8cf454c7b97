import { describe, expect, it } from 'vitest'
import { mergeSorted } from '../../../src/listing/tables/merge.ts'
import { allOf } from '../samples.ts'

/** A source of numbers in pages of a size, and the items after which it was read. */
const sourceOf = (numbers: readonly number[], size: number) => {
  const readAfter: (number | undefined)[] = []
  return {
    readAfter,
    source: async (after: number | undefined) => {
      readAfter.push(after)
      const rest = after === undefined ? numbers : numbers.filter((number) => number > after)
      return { items: rest.slice(0, size), more: rest.length >= size }
    },
  }
}

const ascending = (a: number, b: number): number => a - b

describe('sorted sources', () => {
  it('are walked as one, whatever the size of their pages', async () => {
    const lists = [[1, 4, 7, 8, 9], [], [2, 3, 5, 6], [10]]
    for (const size of [1, 2, 5]) {
      const sources = lists.map((numbers) => sourceOf(numbers, size).source)
      expect(await allOf(mergeSorted(sources, ascending))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    }
  })

  it('are read no further than the walk goes', async () => {
    const [low, high] = [sourceOf([1, 2, 3, 4], 2), sourceOf([11, 12, 13], 2)]
    const walk = mergeSorted([low.source, high.source], ascending)
    for (const expected of [1, 2]) expect((await walk.next()).value).toBe(expected)
    expect(low.readAfter).toEqual([undefined])
    expect((await walk.next()).value).toBe(3)
    expect(low.readAfter).toEqual([undefined, 2])
    expect(high.readAfter).toEqual([undefined])
  })

  it('end the walk when one of them fails', async () => {
    const failing = async (after: number | undefined) => {
      if (after !== undefined) throw new Error('no answer')
      return { items: [1], more: true }
    }
    const walk = mergeSorted([failing], ascending)
    expect((await walk.next()).value).toBe(1)
    await expect(walk.next()).rejects.toThrow('no answer')
  })
})
