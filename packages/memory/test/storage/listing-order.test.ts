import type { ListingPosition } from '@taskledger/core/ports'
import { compareListed } from '@taskledger/core/ports'
import { seededRandom } from '@taskledger/core/testing'
import { expect, test } from 'vitest'
import { ListingOrder } from '../../src/storage/listing-order.ts'
import { taskIdOf } from '../samples.ts'

const position = (number: number, createdAt: number): ListingPosition => ({ taskId: taskIdOf(number), createdAt })

/** Whole numbers from 0 to below a limit, the same in every run. */
const wholeNumbers = (seed: number): ((limit: number) => number) => {
  const random = seededRandom(seed)
  return (limit) => Math.floor(random() * limit)
}

test.each([
  ['in the order of time', (number: number) => number],
  ['against the order of time', (number: number) => -number],
  ['all at one time', () => 7],
  ['at random times', (number: number) => wholeNumbers(number)(1_000)],
])('rows that are added %s and removed at random are walked newest first, from the start and from anywhere', (_how, createdAt) => {
  const below = wholeNumbers(1)
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

test('removing an unknown row leaves the other rows alone', () => {
  const order = new ListingOrder<ListingPosition>()
  order.remove(position(1, 1))
  order.add(position(1, 1))
  order.remove(position(2, 1))
  order.remove(position(0, 1))
  order.remove(position(1, 2))
  order.remove(position(1, 0))
  expect([...order.after()]).toEqual([position(1, 1)])
})
