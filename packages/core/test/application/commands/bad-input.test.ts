import type { TaskManager, TaskManagerOptions, TaskWorkerOptions } from '@taskledger/core'
import { codeOf, createTaskManager, defineTask, isTaskFailed, silentLogger, taskIdOfKey, unchecked } from '@taskledger/core'
import { createMemory } from '@taskledger/memory'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'

const open: TaskManager[] = []
afterEach(async () => {
  for (const manager of open.splice(0)) await manager.close({ drainMs: 0 })
})

const managerOf = async (options: Partial<TaskManagerOptions>): Promise<TaskManager> => {
  const manager = await createTaskManager({ tasks: [], logger: silentLogger, ...options })
  open.push(manager)
  return manager
}

const worker: TaskWorkerOptions = { slots: 1, cancelGraceMs: 5, unknownTasks: { retryDelayMs: 1, maxReleases: 2 } }
const anything = defineTask({ type: 'anything', payload: unchecked<unknown>(), run: ({ payload }) => payload })
const strict = defineTask({ type: 'strict', payload: z.object({ mailbox: z.string().min(1) }), run: () => {} })

const lenient = defineTask({ type: 'lenient', payload: z.unknown(), progress: z.unknown(), run: ({ payload }): unknown => payload })

/** A value that contains a pair 2 ** 60 times, and counts how often the pair is read. */
const doubled = (count: () => void): unknown => {
  const pair = new Proxy(['lol', 'lol'], {
    get(target, key) {
      count()
      return Reflect.get(target, key) as unknown
    },
  })
  let value: unknown = pair
  for (let level = 0; level < 60; level++) value = [value, value]
  return value
}

/** Runs a body once, and returns the error of its task. */
const failureOf = async (run: () => unknown) => {
  const task = defineTask({ type: 'misbehaving', run })
  const manager = await managerOf({ tasks: [task], worker })
  const details = await (await manager.submit(task)).finished()
  expect(details.status).toBe('failed')
  // The worker continues: its only slot is free again.
  expect((await (await manager.submit(task)).finished()).status).toBe('failed')
  return details.error
}

describe('a payload', () => {
  it('that its schema refuses is refused with the issues, and nothing is written', async () => {
    const manager = await managerOf({ tasks: [strict], worker: false })
    await expect(manager.submit(strict, { mailbox: '' })).rejects.toMatchObject({
      code: 'INVALID_PAYLOAD',
      message: expect.stringContaining('mailbox') as string,
      issues: [expect.objectContaining({ path: ['mailbox'] })],
    })
    expect((await manager.list()).tasks).toEqual([])
  })

  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  it.each<[string, unknown]>([
    ['a BigInt', { size: 1n }],
    ['a circular reference', circular],
    ['a function', { run: () => {} }],
    ['a Map', { map: new Map() }],
    ['undefined in an array', { names: [undefined] }],
    ['NaN', { size: Number.NaN }],
    ['a Date', { at: new Date() }],
    ['a toJSON', { toJSON: () => 'something else' }],
  ])('that holds %s is refused, and nothing is written', async (_what, payload) => {
    const manager = await managerOf({ tasks: [anything], worker: false })
    await expect(manager.submit(anything, payload)).rejects.toMatchObject({
      code: 'NOT_JSON',
      message: expect.stringMatching(/^payload/) as string,
    })
    expect((await manager.list()).tasks).toEqual([])
  })

  it('over the limit is refused, one at the limit is not', async () => {
    const manager = await managerOf({ tasks: [anything], worker: false })
    await expect(manager.submit(anything, 'x'.repeat(256 * 1024 - 1))).rejects.toMatchObject({ code: 'TOO_LARGE' })
    await manager.submit(anything, 'x'.repeat(256 * 1024 - 2))
    expect((await manager.list()).tasks).toHaveLength(1)
  })

  it.each([['anything', anything] as const, ['a schema', lenient] as const])(
    'that contains one object many times is refused while it is walked: %s',
    async (_what, task) => {
      const manager = await managerOf({ tasks: [task], worker: false })
      let reads = 0
      await expect(
        manager.submit(
          task,
          doubled(() => reads++),
        ),
      ).rejects.toMatchObject({ code: 'TOO_LARGE' })
      expect(reads).toBeLessThan(2 * 256 * 1024)
      await expect(manager.submit(task, 1, { labels: doubled(() => reads++) as never })).rejects.toMatchObject({ code: 'MISUSE' })
      expect((await manager.list()).tasks).toEqual([])
    },
  )

  it('of many is refused before the first of them is written', async () => {
    const manager = await managerOf({ tasks: [anything], worker: false })
    await expect(manager.submitMany(anything, [1, 2, 3n])).rejects.toMatchObject({ code: 'NOT_JSON' })
    expect((await manager.list()).tasks).toEqual([])
  })

  it('of a type that the manager does not know is refused', async () => {
    const manager = await managerOf({ tasks: [strict], worker: false })
    await expect(manager.submit(anything, 1)).rejects.toMatchObject({
      code: 'UNKNOWN_TASK_TYPE',
      message: expect.stringContaining('strict') as string,
    })
  })
})

describe('an idempotency key', () => {
  it('that comes again with another payload is reported, and the first task is left as it is', async () => {
    const manager = await managerOf({ tasks: [anything], worker: false })
    const first = await manager.submit(anything, { a: 1, b: 2 }, { idempotencyKey: 'key' })
    expect((await manager.submit(anything, { b: 2, a: 1 }, { idempotencyKey: 'key' })).id).toBe(first.id)
    await expect(manager.submit(anything, { a: 2 }, { idempotencyKey: 'key' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_MISMATCH',
      taskId: first.id,
    })
    expect(await first.history()).toHaveLength(1)
  })

  it.each([[''], ['x'.repeat(501)]])('that is empty or over-long is refused', async (idempotencyKey) => {
    const manager = await managerOf({ tasks: [anything], worker: false })
    await expect(manager.submit(anything, 1, { idempotencyKey })).rejects.toThrow(TypeError)
  })
})

describe('an id', () => {
  it.each([[''], ['42'], ['0190A5D0-0000-7000-8000-000000000000'], ["'; drop table task"]])(
    'that is malformed (%j) is refused',
    async (id) => {
      const manager = await managerOf({ worker: false })
      expect(() => manager.task(id)).toThrow(expect.objectContaining({ code: 'INVALID_TASK_ID' }) as Error)
      await expect(manager.history(id)).rejects.toMatchObject({ code: 'INVALID_TASK_ID' })
    },
  )

  it('that nobody has is reported by every method', async () => {
    const manager = await managerOf({ tasks: [strict] })
    const task = manager.task(strict, taskIdOfKey('strict', 'nobody'))
    const notFound = { code: 'TASK_NOT_FOUND', taskId: task.id }
    await expect(task.details()).rejects.toMatchObject(notFound)
    await expect(task.history()).rejects.toMatchObject(notFound)
    await expect(task.progress()).rejects.toMatchObject(notFound)
    await expect(task.result()).rejects.toMatchObject(notFound)
    await expect(task.finished({ timeoutMs: 1_000 })).rejects.toMatchObject(notFound)
    await expect(task.cancel()).rejects.toMatchObject(notFound)
    await expect(task.watch().next()).rejects.toMatchObject(notFound)
  })
})

describe('numbers and texts', () => {
  it.each<[string, Partial<TaskManagerOptions>]>([
    ['no slots', { worker: { slots: 0 } }],
    ['negative slots', { worker: { slots: -1 } }],
    ['half a slot', { worker: { slots: 1.5 } }],
    ['NaN slots', { worker: { slots: Number.NaN } }],
    ['a million slots', { worker: { slots: 1_000_000 } }],
    ['slots and queues', { worker: { slots: 1, queues: {} } }],
    ['a queue without slots', { worker: { queues: { default: { slots: 0 } } } }],
    ['a queue of another mode', { worker: { queues: { default: { slots: 1, mode: 'random' as never } } } }],
    ['a negative grace', { worker: { cancelGraceMs: -1 } }],
    ['a NaN grace', { worker: { cancelGraceMs: Number.NaN } }],
    ['an endless drain', { worker: { drainMs: Infinity } }],
    ['a negative time-out', { callTimeoutMs: -1 }],
    ['a NaN time-out', { commandTimeoutMs: Number.NaN }],
    ['an empty name', { name: '' }],
    ['a payload limit of nothing', { maxPayloadBytes: 0 }],
  ])('%s are refused before anything is opened', async (_what, options) => {
    await expect(createTaskManager({ tasks: [strict], ...options })).rejects.toThrow(TypeError)
  })

  it('may be left out of a queue: it is given four slots, a serial one a single slot', async () => {
    const manager = await managerOf({ tasks: [strict], worker: { queues: { many: {}, one: { mode: 'serial' }, two: { slots: 2 } } } })
    expect(manager.worker?.slots).toEqual({ many: 4, one: 1, two: 2 })
  })

  it.each([[-1], [Number.NaN], [Infinity], [1e18]])('a wait of %d ms is refused', async (timeoutMs) => {
    const manager = await managerOf({ tasks: [strict], worker: false })
    const task = await manager.submit(strict, { mailbox: 'inbox' })
    await expect(task.result({ timeoutMs })).rejects.toThrow(TypeError)
  })

  it.each<[string, object]>([
    ['notBefore', { notBefore: Number.NaN }],
    ['notBefore', { notBefore: new Date(Number.NaN) }],
    ['delayMs', { delayMs: -1 }],
    ['delayMs', { delayMs: Number.NaN }],
    ['notBefore and delayMs', { delayMs: 1_000, notBefore: Date.now() }],
    ['label', { labels: [''] }],
    ['label', { labels: ['x'.repeat(201)] }],
    ['labels', { labels: Array.from({ length: 33 }, (_, index) => `label ${index}`) }],
  ])('a submit with a wrong %s is refused', async (what, options) => {
    const manager = await managerOf({ tasks: [strict], worker: false })
    await expect(manager.submit(strict, { mailbox: 'inbox' }, options)).rejects.toThrow(what)
    expect((await manager.list()).tasks).toEqual([])
  })

  it.each<[string, object]>([
    ['limit', { limit: 0 }],
    ['limit', { limit: 1_001 }],
    ['limit', { limit: Number.NaN }],
    ['status', { status: 'canceled' }],
    ['since', { since: new Date(Number.NaN) }],
  ])('a list with a wrong %s is refused', async (what, query) => {
    const manager = await managerOf({ worker: false })
    await expect(manager.list(query)).rejects.toThrow(what)
  })

  it('a foreign cursor is refused', async () => {
    const manager = await managerOf({ worker: false })
    await expect(manager.list({ cursor: 'bm90IG91cnM=' })).rejects.toMatchObject({ code: 'INVALID_CURSOR' })
  })
})

describe('a handler', () => {
  it('that throws undefined fails its task', async () => {
    expect(
      await failureOf(() => {
        throw undefined
      }),
    ).toMatchObject({ message: expect.stringContaining('undefined') as string })
  })

  it('that throws a string fails its task with it', async () => {
    expect(
      await failureOf(() => {
        throw 'no mailbox'
      }),
    ).toMatchObject({ message: 'no mailbox' })
  })

  it('that throws a frozen object fails its task', async () => {
    expect(
      await failureOf(() => {
        throw Object.freeze({ message: 'frozen' })
      }),
    ).toMatchObject({ message: 'frozen' })
  })

  it('that throws an error with a circular cause fails its task', async () => {
    const error = new Error('round and round')
    error.cause = error
    expect(
      await failureOf(() => {
        throw error
      }),
    ).toMatchObject({ message: 'round and round' })
  })

  it('that throws a message of 10 MB fails its task with the beginning of it', async () => {
    const error = await failureOf(() => {
      throw new Error('x'.repeat(10_000_000))
    })
    expect(error?.message.length).toBeLessThan(10_000)
    expect(JSON.stringify(error).length).toBeLessThan(100_000)
  })

  it.each<[string, () => unknown, string]>([
    ['a BigInt', () => 1n, 'NOT_JSON'],
    [
      'a toJSON that throws',
      () => ({
        toJSON() {
          throw new Error('no')
        },
      }),
      'NOT_JSON',
    ],
    ['a result over the limit', () => 'x'.repeat(300_000), 'TOO_LARGE'],
    ['a result that contains one object many times', () => doubled(() => {}), 'TOO_LARGE'],
  ])('that returns %s fails its task with what to do', async (_what, run, code) => {
    expect(await failureOf(run)).toMatchObject({ code })
  })

  it.each<[string, unknown, string]>([
    ['undefined', undefined, 'NOT_JSON'],
    ['a Date', new Date(), 'NOT_JSON'],
    ['over the limit', 'x'.repeat(20_000), 'TOO_LARGE'],
    ['one object many times', doubled(() => {}), 'TOO_LARGE'],
  ])('is told at once when its progress is %s', async (_what, value, code) => {
    let told: unknown
    const task = defineTask({
      type: 'reporting',
      run({ progress }) {
        try {
          progress(value)
        } catch (error) {
          told = error
        }
      },
    })
    const manager = await managerOf({ tasks: [task], worker })
    await (await manager.submit(task)).result()
    expect(codeOf(told)).toBe(code)
  })

  it('that never settles is abandoned when it is cancelled, and its slot is free again', async () => {
    const forever = defineTask({ type: 'forever', run: () => new Promise(() => {}) })
    const manager = await managerOf({ tasks: [forever, strict], worker })
    const stuck = await manager.submit(forever)
    const next = await manager.submit(strict, { mailbox: 'inbox' })
    for await (const { status } of stuck.watch()) if (status === 'inProgress') await stuck.cancel()
    expect(await stuck.details()).toMatchObject({ status: 'cancelled', abandoned: true })
    await next.result()
  })

  it('that never settles fails for good when its time is up', async () => {
    const forever = defineTask({ type: 'forever', timeoutMs: 1, retry: { maxAttempts: 5 }, run: () => new Promise(() => {}) })
    const manager = await managerOf({ tasks: [forever], worker })
    const error: unknown = await (await manager.submit(forever)).result().catch((thrown: unknown) => thrown)
    expect(isTaskFailed(error) && error.details).toMatchObject({
      attempt: 1,
      error: { code: 'TIMED_OUT', message: expect.stringContaining('timed out after 1 ms') as string },
    })
  })

  it('whose payload the schema of today refuses fails visibly and does not block the queue', async () => {
    const memory = createMemory()
    const before = defineTask({ type: 'strict', payload: unchecked<unknown>(), run: () => {} })
    const frontEnd = await managerOf({ tasks: [before], worker: false, storage: memory.storage(), messaging: memory.messaging() })
    const bad = await frontEnd.submit(before, { mailbox: 42 })
    const good = await frontEnd.submit(before, { mailbox: 'inbox' })
    await managerOf({ tasks: [strict], worker, storage: memory.storage(), messaging: memory.messaging() })
    expect((await bad.finished()).error).toMatchObject({ code: 'INVALID_PAYLOAD', message: expect.stringContaining('mailbox') as string })
    await good.result()
  })
})

describe('a closed manager', () => {
  it('says so to whoever calls it, and to whoever still waits', async () => {
    const manager = await managerOf({ tasks: [strict], worker: false })
    const task = await manager.submit(strict, { mailbox: 'inbox' })
    const closed = { code: 'CLOSED' }
    const waiting = [
      expect(task.result()).rejects.toMatchObject(closed),
      expect(task.finished({ timeoutMs: 60_000 })).rejects.toMatchObject(closed),
    ]
    const watching = task.watch()
    await watching.next()
    waiting.push(expect(watching.next()).rejects.toMatchObject(closed))
    await manager.close()
    await Promise.all(waiting)
    await expect(manager.submit(strict, { mailbox: 'inbox' })).rejects.toMatchObject(closed)
    await expect(manager.submitMany(strict, [{ mailbox: 'inbox' }])).rejects.toMatchObject(closed)
    await expect(manager.list()).rejects.toMatchObject(closed)
    await expect(manager.nodes()).rejects.toMatchObject(closed)
    await expect(manager.history(task.id)).rejects.toMatchObject(closed)
    await expect(manager.attachWorker()).rejects.toMatchObject(closed)
    expect(() => manager.subscribe(() => {})).toThrow(expect.objectContaining(closed) as Error)
    await expect(task.details()).rejects.toMatchObject(closed)
    await expect(task.result()).rejects.toMatchObject(closed)
    await expect(task.cancel()).rejects.toMatchObject(closed)
    await expect(task.watch().next()).rejects.toMatchObject(closed)
    await manager.close()
  })

  it('takes no second worker', async () => {
    const manager = await managerOf({ tasks: [strict], worker })
    await expect(manager.attachWorker()).rejects.toThrow('a worker already')
    await manager.worker?.close()
    expect((await manager.attachWorker(worker)).status).toBe('running')
  })
})
