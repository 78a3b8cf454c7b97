import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { Deadlines } from '../../../src/application/node/deadlines.ts'
import { systemClock } from '../../../src/ports/shared/clock.ts'
import { onAbort } from '../../../src/ports/shared/on-abort.ts'

test('a signal with many waiters has one listener, which calls all waiters but those that left', () => {
  const caller = new AbortController()
  const called: number[] = []
  const leaves = Array.from({ length: 30 }, (_, index) => onAbort(caller.signal, () => void called.push(index)))
  for (const leave of leaves.slice(2)) leave()
  expect(getEventListeners(caller.signal, 'abort')).toHaveLength(1)
  caller.abort()
  expect(called).toEqual([0, 1])
})

test('a signal without waiters has no listener, and takes new waiters', () => {
  const caller = new AbortController()
  const leaves = [onAbort(caller.signal, () => {}), onAbort(caller.signal, () => {})]
  for (const leave of leaves) leave()
  for (const leave of leaves) leave()
  expect(getEventListeners(caller.signal, 'abort')).toEqual([])
  let isTold = false
  onAbort(caller.signal, () => (isTold = true))
  for (const leave of leaves) leave()
  caller.abort()
  expect(isTold).toBe(true)
})

test('calls and sleeps that share a signal end with it, and add one listener to it', async () => {
  const caller = new AbortController()
  const deadlines = new Deadlines(systemClock, 60_000)
  const calls = Array.from({ length: 30 }, () => deadlines.call(caller.signal, () => new Promise<void>(() => {})))
  const sleeps = Array.from({ length: 30 }, () => systemClock.sleep(60_000, caller.signal))
  expect(getEventListeners(caller.signal, 'abort')).toHaveLength(1)
  caller.abort(new Error('enough'))
  for (const outcome of await Promise.allSettled([...calls, ...sleeps]))
    expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'enough' } })
  deadlines.close(new Error('over'))
})
