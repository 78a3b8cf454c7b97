import { readFile } from 'node:fs/promises'
import { defineTask, NonRetryableError, silentLogger, unchecked } from '@taskledger/core'
import type { EventStore } from '@taskledger/core/ports'
import { testManager, virtualClock } from '@taskledger/core/testing'
import { createMemory } from '@taskledger/memory'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const hour = 3_600_000

describe('testManager', () => {
  it('lets a backoff pass without waiting', async () => {
    const attempts: number[] = []
    const flaky = defineTask({
      type: 'flaky',
      retry: { maxAttempts: 3, backoff: { initialMs: hour / 4, factor: 2, jitter: 0, maxMs: hour } },
      run({ attempt }) {
        attempts.push(attempt)
        if (attempt < 3) throw new Error('not yet')
        return 'at last'
      },
    })
    await using test = await testManager({ tasks: [flaky] })
    const task = await test.manager.submit(flaky)
    await test.advance(hour / 4 - 1)
    expect(attempts).toEqual([1])
    await test.advance(1)
    expect(attempts).toEqual([1, 2])
    await test.settled()
    expect(attempts).toEqual([1, 2, 3])
    expect(await task.result()).toBe('at last')
  })

  it('does not retry an error that is not retryable', async () => {
    const broken = defineTask({
      type: 'broken',
      retry: { maxAttempts: 10 },
      run() {
        throw new NonRetryableError('the mailbox is gone')
      },
    })
    await using test = await testManager({ tasks: [broken] })
    const task = await test.manager.submit(broken)
    await test.settled()
    expect(await task.details()).toMatchObject({ status: 'failed', attempt: 1, error: { message: 'the mailbox is gone' } })
  })

  it('starts nothing before its time', async () => {
    const noop = defineTask({ type: 'noop', run: () => {} })
    await using test = await testManager({ tasks: [noop] })
    const notBefore = test.clock.now() + hour
    const task = await test.manager.submit(noop, undefined, { notBefore })
    await test.advance(hour - 1)
    expect((await task.details()).status).toBe('waiting')
    await test.advance(1)
    expect(await task.details()).toMatchObject({ status: 'completed', startedAt: notBefore })
  })

  it('times an attempt out and runs the task again', async () => {
    const clock = virtualClock()
    const slow = defineTask({
      type: 'slow',
      timeoutMs: 5_000,
      retry: { maxAttempts: 2 },
      run: async ({ attempt, signal }) => {
        if (attempt === 1) await clock.sleep(hour, signal)
        return 'quick'
      },
    })
    await using test = await testManager({ tasks: [slow], clock })
    const task = await test.manager.submit(slow)
    await test.settled()
    expect(await task.result()).toBe('quick')
    const failed = (await task.history()).find(({ type }) => type === 'TaskFailed')
    expect(failed).toMatchObject({ attempt: 1, error: { code: 'TIMED_OUT' } })
  })

  it('abandons a body that does not react to its signal after the grace, not before', async () => {
    const deaf = defineTask({ type: 'deaf', run: () => new Promise(() => {}) })
    await using test = await testManager({ tasks: [deaf] })
    const task = await test.manager.submit(deaf)
    await test.advance(0)
    expect((await task.cancel()).outcome).toBe('requested')
    await test.advance(29_999)
    expect((await task.details()).status).toBe('cancelRequested')
    await test.advance(1)
    expect(await task.details()).toMatchObject({ status: 'cancelled', abandoned: true })
  })

  it('times a wait out, and leaves no timer', async () => {
    const noop = defineTask({ type: 'noop', run: () => {} })
    // Without chance the janitor sweeps on the full half minute.
    await using test = await testManager({ tasks: [noop], worker: false, random: () => 0.5 })
    const task = await test.manager.submit(noop)
    // Calls share a timer for a while; what remains then are the renewal of the node and the sweep of its janitor.
    await test.advance(hour)
    const before = test.clock.pendingTimers
    const rejected = expect(task.result({ timeoutMs: 90_000 })).rejects.toMatchObject({ code: 'AWAIT_TIMEOUT' })
    await test.advance(90_000)
    await rejected
    await test.advance(hour)
    expect(test.clock.pendingTimers).toBe(before)
  })

  it('leaves no timer of a finished task', async () => {
    const busy = defineTask({
      type: 'busy',
      payload: unchecked<number>(),
      timeoutMs: hour,
      run({ progress }) {
        progress('begun')
        return 'done'
      },
    })
    await using test = await testManager({ tasks: [busy], worker: { slots: 10 }, random: () => 0.5 })
    await test.advance(hour)
    const before = test.clock.pendingTimers
    const tasks = await test.manager.submitMany(busy, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    const results = Promise.all(tasks.map((task) => task.result()))
    await test.advance(hour)
    await results
    expect(test.clock.pendingTimers).toBe(before)
  })

  it('closes within a bound while the store is down', async () => {
    const clock = virtualClock()
    const memory = createMemory({ clock })
    const storage = memory.storage()
    let isDown = false
    const events: EventStore = {
      capabilities: storage.events.capabilities,
      append: (...given) => (isDown ? Promise.reject(new Error('the store is down')) : storage.events.append(...given)),
      read: (...given) => storage.events.read(...given),
      histories: (...given) => storage.events.histories(...given),
      remove: (...given) => storage.events.remove(...given),
      close: () => storage.events.close(),
    }
    const slow = defineTask({ type: 'slow', run: () => clock.sleep(1_000) })
    const test = await testManager({
      tasks: [slow],
      clock,
      storage: { ...storage, events },
      messaging: memory.messaging(),
      worker: { drainMs: 2_000, cancelGraceMs: 3_000 },
      logger: silentLogger,
    })
    await test.manager.submit(slow)
    await test.advance(0)
    isDown = true
    let isClosed = false
    const closed = test.manager.close().then(() => (isClosed = true))
    await test.advance(9_000)
    expect(isClosed).toBe(false)
    await test.advance(20_000)
    expect(isClosed).toBe(true)
    await closed
    expect(clock.pendingTimers).toBe(0)
  })

  it('fails finally if the schema refuses the result', async () => {
    const wrong = defineTask({
      type: 'wrong',
      retry: { maxAttempts: 3 },
      result: z.object({ done: z.number() }),
      run: () => ({ done: 'all' }) as never,
    })
    await using test = await testManager({ tasks: [wrong] })
    const task = await test.manager.submit(wrong)
    await test.settled()
    expect(await task.details()).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'INVALID_RESULT' } })
  })

  it('lets a body wait for something real before its time is over', async () => {
    const reading = defineTask({ type: 'reading', timeoutMs: 5_000, run: async () => (await readFile(import.meta.filename)).length > 0 })
    await using test = await testManager({ tasks: [reading] })
    const task = await test.manager.submit(reading)
    await test.settled()
    expect(await task.result()).toBe(true)
  })

  it('does not settle a task that timed out while its body waited on something else than the clock', async () => {
    for (const isDeaf of [false, true]) {
      const stuck = defineTask({
        type: 'stuck',
        timeoutMs: 5_000,
        run: ({ signal }) =>
          new Promise((_resolve, reject) => {
            if (!isDeaf) signal.addEventListener('abort', () => reject(signal.reason as Error))
          }),
      })
      await using test = await testManager({ tasks: [stuck] })
      const { id } = await test.manager.submit(stuck)
      await expect(test.settled()).rejects.toMatchObject({ code: 'NOT_SETTLED', message: expect.stringContaining(id) as string })
      expect((await test.manager.task(id).details()).error?.code).toBe('TIMED_OUT')
    }
  })

  it('names the tasks that do not settle', async () => {
    const noop = defineTask({ type: 'noop', run: () => {} })
    await using test = await testManager({ tasks: [noop], worker: false, clock: virtualClock(0) })
    const { id } = await test.manager.submit(noop)
    await expect(test.settled(2_000)).rejects.toThrow(`noop ${id} is waiting`)
  })
})
