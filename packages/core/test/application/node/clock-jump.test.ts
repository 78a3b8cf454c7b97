import { createTaskManager, defineTask, silentLogger } from '@taskledger/core'
import { virtualClock } from '@taskledger/core/testing'
import { createMemory } from '@taskledger/memory'
import { expect, it } from 'vitest'

it.each([3_600_000, -3_600_000])('a clock that is set by %i ms while a store is tried again makes nobody give up', async (jumpMs) => {
  const steady = virtualClock()
  let offMs = 0
  const clock = { ...steady, now: () => steady.now() + offMs, elapsed: () => steady.elapsed() }
  const memory = createMemory({ clock: steady, logger: silentLogger })
  const storage = memory.storage()
  let tries = 0
  const events = new Proxy(storage.events, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      const method = value.bind(target) as (...given: readonly unknown[]) => unknown
      if (key !== 'append') return method
      return async (...given: readonly unknown[]) => {
        if (++tries > 3) return method(...given)
        if (tries === 2) offMs = jumpMs
        throw new Error('not just now')
      }
    },
  })
  const noop = defineTask({ type: 'noop', run: () => {} })
  const opening = createTaskManager({
    tasks: [noop],
    storage: { ...storage, events, close: () => storage.close() },
    messaging: memory.messaging(),
    worker: false,
    clock,
    logger: silentLogger,
  })
  await steady.advance(0)
  const manager = await opening
  const submitted = manager.submit(noop).then(() => 'submitted')
  const outcome = Promise.race([
    submitted.catch((error: { readonly code?: string }) => error.code),
    steady.sleep(20_000, new AbortController().signal),
  ])
  await steady.advance(20_000)
  expect(await outcome).toBe('submitted')
  const closed = manager.close()
  await steady.advance(20_000)
  await closed
})
