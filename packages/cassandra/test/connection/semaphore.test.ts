import { expect, test } from 'vitest'
import { Semaphore } from '../../src/connection/semaphore.ts'

test('so many at a time, the others in their order', async () => {
  const places = new Semaphore(1)
  const leave = await places.take()
  const seen: string[] = []
  const second = places.take().then((leaveSecond) => {
    seen.push('second')
    leaveSecond()
  })
  const third = places.take().then((leaveThird) => {
    seen.push('third')
    leaveThird()
  })
  expect(seen).toEqual([])
  leave()
  leave()
  await Promise.all([second, third])
  expect(seen).toEqual(['second', 'third'])
  await places.take()
})

test('whose signal is aborted leaves the line, and takes no place', async () => {
  const places = new Semaphore(1)
  const leave = await places.take()
  const abort = new AbortController()
  const given = places.take(abort.signal)
  const next = places.take()
  abort.abort(new Error('given up'))
  await expect(given).rejects.toThrow('given up')
  leave()
  await next
})

test('the line can be cleared', async () => {
  const places = new Semaphore(1)
  await places.take()
  const waiting = [places.take(), places.take()]
  const refusals = Promise.allSettled(waiting)
  places.clear(new Error('closed'))
  expect((await refusals).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
})
