import { expect, test } from 'vitest'
import { Semaphore } from '../../src/connection/semaphore.ts'

test('a semaphore lets callers go on in the order of their calls', async () => {
  const semaphore = new Semaphore(1)
  const release = await semaphore.acquire()
  const seen: string[] = []
  const second = semaphore.acquire().then((releaseSecond) => {
    seen.push('second')
    releaseSecond()
  })
  const third = semaphore.acquire().then((releaseThird) => {
    seen.push('third')
    releaseThird()
  })
  expect(seen).toEqual([])
  release()
  release()
  await Promise.all([second, third])
  expect(seen).toEqual(['second', 'third'])
  await semaphore.acquire()
})

test('a caller whose signal is aborted stops waiting, and takes no permit', async () => {
  const semaphore = new Semaphore(1)
  const release = await semaphore.acquire()
  const abort = new AbortController()
  const given = semaphore.acquire(abort.signal)
  const next = semaphore.acquire()
  abort.abort(new Error('gave up'))
  await expect(given).rejects.toThrow('gave up')
  release()
  await next
})

test('rejects every caller that waits', async () => {
  const semaphore = new Semaphore(1)
  await semaphore.acquire()
  const waiting = [semaphore.acquire(), semaphore.acquire()]
  const refusals = Promise.allSettled(waiting)
  semaphore.rejectWaiting(new Error('closed'))
  expect((await refusals).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
})
