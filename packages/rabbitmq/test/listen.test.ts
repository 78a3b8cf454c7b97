import { getEventListeners, getMaxListeners, setMaxListeners } from 'node:events'
import { expect, test } from 'vitest'
import { bounded } from '../src/bounded.ts'

test('many waits that share a signal are no leak, and end with it', async () => {
  const calls = new AbortController()
  // As every signal is on Node 20.
  setMaxListeners(10, calls.signal)
  const bound = { timeoutMs: 60_000, signal: calls.signal, onTimeout: () => new Error('too late') }
  const waits = Array.from({ length: 30 }, () => bounded(new Promise(() => {}), bound))
  expect(getEventListeners(calls.signal, 'abort')).toHaveLength(30)
  expect(getMaxListeners(calls.signal)).toBe(0)
  calls.abort(new Error('enough'))
  for (const outcome of await Promise.allSettled(waits))
    expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'enough' } })
})
