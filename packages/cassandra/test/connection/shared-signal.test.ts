import { getEventListeners } from 'node:events'
import { within } from '@taskledger/core/ports'
import { expect, test } from 'vitest'
import { GroupCommit } from '../../src/connection/group-commit.ts'
import { Semaphore } from '../../src/connection/semaphore.ts'

const groups = new GroupCommit<string>({
  maxItems: 9,
  maxBytes: 9,
  sizeOf: () => 1,
  idOf: (item) => item,
  flush: () => new Promise(() => {}),
})
const semaphore = new Semaphore(0)

test.each<[string, (signal: AbortSignal, index: number) => Promise<unknown>]>([
  ['for a promise', (signal) => within(new Promise(() => {}), { signal })],
  ['for a permit', (signal) => semaphore.acquire(signal)],
  ['for a group commit', (signal, index) => groups.add('key', String(index), signal)],
])('30 waits %s that share a signal put one listener on it, and end when it is aborted', async (_what, wait) => {
  const calls = new AbortController()
  const waits = Array.from({ length: 30 }, (_, index) => wait(calls.signal, index))
  // Node warns of a leak above ten listeners.
  expect(getEventListeners(calls.signal, 'abort')).toHaveLength(1)
  calls.abort(new Error('enough'))
  for (const { status } of await Promise.allSettled(waits)) expect(status).toBe('rejected')
})
