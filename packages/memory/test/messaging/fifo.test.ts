import { expect, test } from 'vitest'
import { Fifo } from '../../src/messaging/fifo.ts'

test('items are taken in the order in which they were added, however taking and adding alternate', () => {
  const fifo = new Fifo<number>()
  const taken: (number | undefined)[] = []
  for (let item = 0; item < 100; item++) {
    fifo.add(item)
    if (item % 3 === 0) taken.push(fifo.take())
  }
  while (fifo.size > 0) taken.push(fifo.take())
  expect(taken).toEqual(Array.from({ length: 100 }, (_, index) => index))
  expect(fifo.take()).toBeUndefined()
})

test('an item that is added first is taken first', () => {
  const fifo = new Fifo<string>()
  fifo.add('second')
  fifo.add('third')
  fifo.addFirst('first')
  expect([fifo.take(), fifo.take(), fifo.take()]).toEqual(['first', 'second', 'third'])
})
