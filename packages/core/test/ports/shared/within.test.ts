import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { within } from '../../../src/ports/shared/within.ts'

const timeoutMs = 60_000

test('many waits that share a signal add one listener to it, and end with it', async () => {
  const calls = new AbortController()
  const waits = Array.from({ length: 30 }, () => within(new Promise(() => {}), { timeoutMs, signal: calls.signal }))
  // Node warns of a leak above ten.
  expect(getEventListeners(calls.signal, 'abort')).toHaveLength(1)
  calls.abort(new Error('enough'))
  for (const outcome of await Promise.allSettled(waits))
    expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'enough' } })
})

test('a wait with an aborted signal ends at once, and its promise may reject later', async () => {
  const failing = Promise.withResolvers<void>()
  const wait = within(failing.promise, { timeoutMs, signal: AbortSignal.abort(new Error('enough')) })
  await expect(wait).rejects.toThrow('enough')
  // An unhandled rejection would fail the run.
  failing.reject(new Error('late'))
})
