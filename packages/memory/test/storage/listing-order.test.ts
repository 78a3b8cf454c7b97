import type { ListingPosition } from '@taskledger/core/ports'
import { compareListed } from '@taskledger/core/ports'
import { expect, test } from 'vitest'
import { ListingOrder } from '../../src/storage/listing-order.ts'
import { taskIdOf } from '../samples.ts'

const position = (number: number, createdAt: number): ListingPosition => ({ taskId: taskIdOf(number), createdAt })

/** The same chance in every run (a linear congruential generator). */
const chance = (seed: number): ((below: number) => number) => {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

test.each([
  ['in the order of time', (number: number) => number],
  ['against the order of time', (number: number) => -number],
  ['all at one time', () => 7],
  ['anyhow', (number: number) => chance(number)(1_000)],
])('rows that are added %s and removed at random are walked newest first, from the start and from anywhere', (_how, createdAt) => {
  const below = chance(1)
  const order = new ListingOrder<ListingPosition>()
  let rows: ListingPosition[] = []
  for (let number = 0; number < 3_000; number++) {
    const row = position(number, createdAt(number))
    order.add(row)
    rows.push(row)
    if (below(3) === 0) {
      const [gone] = rows.splice(below(rows.length), 1)
      if (gone !== undefined) order.remove(gone)
    }
  }
  rows = rows.sort(compareListed)
  expect([...order.after()]).toEqual(rows)
  for (let round = 0; round < 20; round++) {
    const at = below(rows.length)
    expect([...order.after(rows[at])]).toEqual(rows.slice(at + 1))
    const between = position(below(3_000), createdAt(below(3_000)))
    expect([...order.after(between)]).toEqual(rows.filter((row) => compareListed(row, between) > 0))
  }
  for (const row of rows) order.remove(row)
  expect([...order.after()]).toEqual([])
})

test('removing what is not there leaves the others alone', () => {
  const order = new ListingOrder<ListingPosition>()
  order.remove(position(1, 1))
  order.add(position(1, 1))
  order.remove(position(2, 1))
  order.remove(position(0, 1))
  order.remove(position(1, 2))
  order.remove(position(1, 0))
  expect([...order.after()]).toEqual([position(1, 1)])
})
