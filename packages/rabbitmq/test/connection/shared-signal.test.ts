import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { bounded } from '../../src/connection/bounded.ts'

test('many waits that share a signal put one listener on it, and end with it', async () => {
  const calls = new AbortController()
  const bound = { timeoutMs: 60_000, signal: calls.signal, onTimeout: () => new Error('too late') }
  const waits = Array.from({ length: 30 }, () => bounded(new Promise(() => {}), bound))
  // Node 20 takes more than ten for a leak, and warns.
  expect(getEventListeners(calls.signal, 'abort')).toHaveLength(1)
  calls.abort(new Error('enough'))
  for (const outcome of await Promise.allSettled(waits))
    expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'enough' } })
})

test('a wait with a signal that is aborted already ends at once, and what it waits for may fail later', async () => {
  const failing = Promise.withResolvers<void>()
  const wait = bounded(failing.promise, {
    timeoutMs: 60_000,
    signal: AbortSignal.abort(new Error('enough')),
    onTimeout: () => new Error('too late'),
  })
  await expect(wait).rejects.toThrow('enough')
  // Unhandled, it would fail the run.
  failing.reject(new Error('late'))
})
