import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskManager, TaskManagerOptions } from '@taskledger/core'
import { createTaskManager, defineTask, silentLogger, unchecked } from '@taskledger/core'
import type { TaskEvent } from '@taskledger/core/ports'
import { VersionConflict } from '@taskledger/core/ports'
import type { Memory } from '@taskledger/memory'
import { createMemory } from '@taskledger/memory'
import type { CallHandlers, Interceptor } from '@taskledger/test-kit/faults'
import { appendsOf, interceptedMessaging, interceptedStorage, never, onCalls, storageCalls } from '@taskledger/test-kit/faults'
import { afterEach, describe, expect, it, vi } from 'vitest'

// Regressions: each of these once lost a task, hung, or reported something false.

const open: TaskManager[] = []
afterEach(async () => {
  for (const manager of open.splice(0)) await manager.close({ drainMs: 0 })
})

const managerOn = async (
  memory: Memory,
  options: Partial<TaskManagerOptions>,
  intercept: Interceptor = onCalls({}),
): Promise<TaskManager> => {
  const storage = interceptedStorage(memory.storage(), intercept)
  const messaging = interceptedMessaging(memory.messaging(), intercept)
  const manager = await createTaskManager({ tasks: [], storage, messaging, logger: silentLogger, ...options })
  open.push(manager)
  return manager
}

const quick = defineTask({ type: 'quick', run: () => 'done' })
const hang = defineTask({
  type: 'hang',
  run: ({ signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
})

const started = async (manager: TaskManager, id: string): Promise<void> => {
  for await (const { status } of manager.task(id).watch()) if (status === 'inProgress') return
}

describe('a task is not lost', () => {
  it('when the node that would send its next attempt or its delayed start closes in order', async () => {
    const memory = createMemory()
    const retried = defineTask({
      type: 'retried',
      retry: { maxAttempts: 2, backoff: { initialMs: 300, jitter: 0 } },
      run: ({ attempt }) => (attempt === 1 ? Promise.reject(new Error('on purpose')) : 'done'),
    })
    const going = await managerOn(memory, { tasks: [retried, quick] })
    const task = await going.submit(retried)
    const notBefore = Date.now() + 300
    const later = await going.submit(quick, undefined, { notBefore })
    for await (const { error } of task.watch()) if (error !== undefined) break
    const staying = await managerOn(memory, { tasks: [retried, quick] })
    await going.close()
    for (const { id } of [task, later]) expect(await staying.task(id).result({ timeoutMs: 5_000 })).toBe('done')
    const { startedAt = 0 } = await staying.task(later.id).details()
    expect(startedAt).toBeGreaterThanOrEqual(notBefore)
  })

  it.each(['TaskStarted', 'TaskCompleted'] as const)(
    'where the append of %s fails with a TypeError, as an HTTP driver has it',
    async (type) => {
      let failures = 0
      const manager = await managerOn(createMemory(), { tasks: [quick] }, (call, next) => {
        if (appendsOf(type)(call) && failures++ === 0) throw new TypeError('fetch failed')
        return next()
      })
      expect(await (await manager.submit(quick)).result({ timeoutMs: 5_000 })).toBe('done')
    },
  )

  it('when the store refuses its result: the task fails and says so', async () => {
    const manager = await managerOn(createMemory(), { tasks: [quick] }, (call, next) => {
      if (appendsOf('TaskCompleted')(call)) throw Object.assign(new Error('a row is too large'), { code: 'TOO_LARGE' })
      return next()
    })
    expect(await (await manager.submit(quick)).finished({ timeoutMs: 5_000 })).toMatchObject({
      status: 'failed',
      error: { code: 'TOO_LARGE' },
    })
  })

  it('when the progress of the previous attempt cannot be read', async () => {
    const twice = defineTask({
      type: 'twice',
      retry: { maxAttempts: 2, backoff: { initialMs: 1 } },
      run({ attempt }) {
        if (attempt === 1) throw new Error('at first')
      },
    })
    const manager = await managerOn(createMemory(), { tasks: [twice] }, (call, next) => {
      if (call.name === 'listing.progress') throw Object.assign(new Error('a newer row'), { code: 'MALFORMED' })
      return next()
    })
    await (await manager.submit(twice)).result({ timeoutMs: 5_000 })
  })

  it('when the store is down as its message arrives: the message is not dead-lettered', async () => {
    const memory = createMemory()
    const long = defineTask({ type: 'long', payload: unchecked<string>(), run: () => 'done' })
    let isDown = false
    let reads = 0
    const worker = { unknownTasks: { retryDelayMs: 1, maxReleases: 2 } }
    const manager = await managerOn(memory, { tasks: [long], worker, commandTimeoutMs: 1 }, (call, next) => {
      if (isDown && call.name === 'events.read') reads++
      if (isDown && storageCalls(call)) throw new Error('the store is down')
      return next()
    })
    manager.worker?.pause()
    const task = await manager.submit(long, 'x'.repeat(20_000))
    isDown = true
    manager.worker?.resume()
    // Twice as often as a task of an unknown type may be delivered.
    await vi.waitUntil(() => reads >= 6, { timeout: 30_000 })
    isDown = false
    expect(await task.result({ timeoutMs: 10_000 })).toBe('done')
    expect(memory.inspect().queues['default']?.deadLetters).toBe(0)
  })

  it('when the logger throws', async () => {
    const boom = (): never => {
      throw new Error('the logger throws')
    }
    let failures = 0
    const logger = { debug: boom, info: boom, warn: boom, error: boom }
    const manager = await managerOn(createMemory(), { tasks: [quick], logger }, ({ name }, next) => {
      if (name === 'listing.save' && failures++ === 1) throw new Error('once')
      return next()
    })
    expect(await (await manager.submit(quick)).result({ timeoutMs: 5_000 })).toBe('done')
  })

  it('when a worker is attached to a closing manager', async () => {
    const manager = await managerOn(createMemory(), { tasks: [quick], worker: false })
    const closed = manager.close()
    await expect(manager.attachWorker()).rejects.toMatchObject({ code: 'CLOSED' })
    await closed
  })
})

describe('no wait lasts forever', () => {
  it('for a store that never answers and ignores its signal', async () => {
    let isStalled = false
    const options = { tasks: [hang], callTimeoutMs: 20, commandTimeoutMs: 20, worker: { cancelGraceMs: 20, drainMs: 0 } }
    const manager = await managerOn(createMemory(), options, ({ port }, next) => (isStalled && port === 'events' ? never() : next()))
    const task = await manager.submit(hang)
    await started(manager, task.id)
    isStalled = true
    await expect(task.cancel()).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    await expect(task.details()).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    await expect(task.result({ timeoutMs: 20 })).rejects.toMatchObject({ code: 'AWAIT_TIMEOUT' })
    isStalled = false
    expect((await task.cancel()).outcome).toBe('requested')
    expect((await task.finished()).status).toBe('cancelled')
  }, 30_000)

  it('for an acknowledgement that never comes', async () => {
    const manager = await managerOn(createMemory(), { tasks: [quick], callTimeoutMs: 20 }, onCalls({ 'delivery.accept': () => never() }))
    expect(await (await manager.submit(quick)).result({ timeoutMs: 5_000 })).toBe('done')
  })

  it('for a watch that is ended while it waits', async () => {
    const manager = await managerOn(createMemory(), { tasks: [quick], worker: false })
    const changes = (await manager.submit(quick)).watch()
    await changes.next()
    const next = changes.next()
    await changes.return?.()
    expect(await next).toEqual({ value: undefined, done: true })
  })

  it('for a factory whose decode hangs, while the node closes', async () => {
    const stuck = { ...quick, type: 'stuck', decode: never }
    const manager = await managerOn(createMemory(), { tasks: [stuck], callTimeoutMs: 20, worker: { drainMs: 0, cancelGraceMs: 1 } })
    await manager.submit(stuck)
    await manager.close()
  }, 30_000)
})

describe('what people see is true', () => {
  it('when the answer of a cancel is lost: the outcome is unknown, and a second cancel repairs the row and wakes the waiters', async () => {
    let failures = -1
    const memory = createMemory()
    const other = await managerOn(memory, { worker: false })
    const manager = await managerOn(memory, { tasks: [quick], worker: false, commandTimeoutMs: 1 }, async ({ name }, next) => {
      if (name !== 'events.append' || failures < 0) return next()
      if (failures++ === 0) await next()
      throw Object.assign(new Error('no answer'), { code: 'UNAVAILABLE' })
    })
    const task = await manager.submit(quick)
    const finished = other.task(task.id).finished({ timeoutMs: 5_000 })
    failures = 0
    await expect(task.cancel()).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    failures = -1
    expect((await task.cancel()).outcome).toBe('cancelled')
    expect(await finished).toMatchObject({ status: 'cancelled' })
    expect((await manager.list()).tasks.map(({ status }) => status)).toEqual(['cancelled'])
  })

  it('when the only report of progress could not be saved at first', async () => {
    let failures = 0
    const reporting = defineTask({
      type: 'reporting',
      run: ({ progress, signal }) => {
        progress('half')
        return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
      },
    })
    const manager = await managerOn(createMemory(), { tasks: [reporting], worker: { progressIntervalMs: 5 } }, ({ name }, next) => {
      if (name === 'listing.saveProgress' && failures++ === 0) throw new Error('once')
      return next()
    })
    const task = await manager.submit(reporting)
    for await (const { progress } of task.watch()) if (progress?.value === 'half') break
    expect(await task.progress()).toBe('half')
  })

  it('when the caller changes what it submitted', async () => {
    const manager = await managerOn(createMemory(), { tasks: [quick], worker: false })
    const labels = ['as given']
    const submitted = manager.submit(quick, undefined, { labels })
    labels[0] = 'changed'
    expect((await (await submitted).details()).labels).toEqual(['as given'])
    const payloads = [undefined, undefined, undefined]
    const many = manager.submitMany(quick, payloads)
    payloads.length = 0
    expect(await many).toHaveLength(3)
  })

  it('when a submit was aborted before it began', async () => {
    const manager = await managerOn(createMemory(), { tasks: [quick], worker: false })
    await expect(manager.submit(quick, undefined, { signal: AbortSignal.abort(new Error('given up')) })).rejects.toThrow('given up')
    expect((await manager.list()).tasks).toEqual([])
  })
})

describe('a claim that succeeded although the store reports a conflict', () => {
  /** A node that learns of its first claim only after another writer has appended these events. */
  const outrunBy = async (...after: readonly Pick<TaskEvent, 'type'>[]) => {
    const memory = createMemory()
    const outside = memory.storage()
    let isOutrun = false
    let runs = 0
    const task = defineTask({
      type: 'counted',
      run: () => {
        runs++
      },
    })
    const outrun: CallHandlers['events.append'] = async (next, ...args) => {
      const [event] = args[2]
      if (event?.type !== 'TaskStarted' || isOutrun) return next(...args)
      isOutrun = true
      await next(...args)
      const { taskId, at } = event
      const events = after.map((data, index) => ({ taskId, at, node: 'other', version: 3 + index, eventId: `other-${index}`, ...data }))
      await outside.events.append(taskId, 2, events as unknown as readonly TaskEvent[])
      throw new VersionConflict(taskId, 1, 2 + events.length)
    }
    const manager = await managerOn(memory, { tasks: [task] }, onCalls({ 'events.append': outrun }))
    const { id } = await manager.submit(task)
    return { id, manager, outside, runs: () => runs }
  }

  it('does not run if its attempt was ended and another attempt began', async () => {
    const died = { type: 'TaskDied', attempt: 1, diedOn: 'here', retryAt: 0 } as const
    const { id, manager, outside, runs } = await outrunBy(died, { type: 'TaskStarted', attempt: 2 } as Pick<TaskEvent, 'type'>)
    while ((await outside.events.read(id)).length < 4) await sleep(1)
    await manager.close()
    expect(runs()).toBe(0)
    expect((await outside.events.read(id)).map(({ type }) => type)).toEqual(['TaskCreated', 'TaskStarted', 'TaskDied', 'TaskStarted'])
  })

  it('is cancelled if a cancel was requested', async () => {
    const { id, manager, runs } = await outrunBy({ type: 'TaskCancelRequested', by: 'somebody' } as Pick<TaskEvent, 'type'>)
    expect(await manager.task(id).finished({ timeoutMs: 5_000 })).toMatchObject({ status: 'cancelled' })
    expect(runs()).toBe(0)
  })
})
