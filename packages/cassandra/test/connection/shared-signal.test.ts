import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { abortable } from '../../src/connection/abortable.ts'
import { GroupCommit } from '../../src/connection/group-commit.ts'
import { Semaphore } from '../../src/connection/semaphore.ts'

const lanes = new GroupCommit<string>({
  maxItems: 9,
  maxBytes: 9,
  sizeOf: () => 1,
  idOf: (item) => item,
  flush: () => new Promise(() => {}),
})
const places = new Semaphore(0)

test.each<[string, (signal: AbortSignal, index: number) => Promise<unknown>]>([
  ['for a promise', (signal) => abortable(new Promise(() => {}), signal)],
  ['for a place', (signal) => places.take(signal)],
  ['in a lane', (signal, index) => lanes.add('key', String(index), signal)],
])('many waits %s that share a signal put one listener on it, and end with it', async (_what, wait) => {
  const calls = new AbortController()
  const waits = Array.from({ length: 30 }, (_, index) => wait(calls.signal, index))
  // Node 20 takes more than ten for a leak, and warns.
  expect(getEventListeners(calls.signal, 'abort')).toHaveLength(1)
  calls.abort(new Error('enough'))
  for (const { status } of await Promise.allSettled(waits)) expect(status).toBe('rejected')
})
