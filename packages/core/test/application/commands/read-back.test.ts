import type { TaskManager } from '@taskledger/core'
import { createTaskManager, declareTask, defineTask, isTaskId, silentLogger, taskIdOfKey, unchecked } from '@taskledger/core'
import { createMemory } from '@taskledger/memory'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeDetails, decodeEvent, encodeDetails, encodeEvent } from '../../../src/codec/index.ts'
import { codeOf } from '../../../src/ports/index.ts'
import { describeError } from '../../../src/tasks/describe-error.ts'

/** What a caller in JavaScript may pass: the types do not stop it. */
const any = (value: unknown): never => value as never

/** A refusal is one of these codes, and nothing is written. */
const refusals = ['MISUSE', 'NOT_JSON', 'TOO_LARGE', 'INVALID_PAYLOAD', 'INVALID_TASK_ID', 'UNKNOWN_TASK_TYPE']

const memory = createMemory()
const anything = declareTask({ type: 'anything', payload: unchecked<unknown>() })
let manager: TaskManager

beforeAll(async () => {
  const { storage, messaging } = { storage: memory.storage(), messaging: memory.messaging() }
  manager = await createTaskManager({ tasks: [anything], worker: false, logger: silentLogger, storage, messaging })
})
afterAll(() => manager.close())

const oddText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'binary', minLength: 100, maxLength: 600 }),
  fc.constantFrom('', '\0', 'a\ud800b', '\udc00', '__proto__', 'constructor', 'x'.repeat(10_000), ' ', '\u202e'),
)
const oddNumber = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(-0, 0, 1.5, -1, Number.NaN, Infinity, -Infinity, Number.MAX_SAFE_INTEGER, 8.64e15, 8.64e15 + 1, Number.MIN_VALUE, 1e21),
)
const oddValue = fc.oneof(oddText, oddNumber, fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }))
const taskId = fc.integer().map((key) => taskIdOfKey('other', String(key)))

/** Right values of an option, and now and then a wrong one. */
const option = <Value>(right: fc.Arbitrary<Value>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 20, arbitrary: right }, { weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: oddValue })

const record = (options: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<object> => fc.record(options, { requiredKeys: [] })

const rightText = fc.string({ unit: 'binary', minLength: 1, maxLength: 60 })
const rightTime = fc.oneof(
  fc.double({ min: -8.64e15, max: 8.64e15, noNaN: true }),
  fc.date({ noInvalidDate: true }),
  fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-12-31') }).map((date) => date.toISOString()),
)
const rightMs = fc.double({ min: 0, max: 1e10, noNaN: true })

const submitOptions = fc
  .tuple(
    record({ idempotencyKey: option(rightText), labels: option(fc.array(rightText, { maxLength: 33 })), retryOf: option(taskId) }),
    fc.oneof(record({ notBefore: option(rightTime) }), record({ delayMs: option(rightMs) })),
  )
  .map(([what, when]) => ({ ...what, ...when }))

/** A copy of a task, changed as a caller may change it. */
const changedTask = record({
  timeoutMs: option(fc.double({ min: 0, max: 1e10, minExcluded: true, noNaN: true })),
  version: option(fc.integer({ min: 1, max: 9 })),
  queue: option(fc.oneof(fc.stringMatching(/^[\w.:/-]{1,100}$/), fc.constant('q'.repeat(101)))),
  retry: option(
    fc.record({
      maxAttempts: fc.integer({ min: 1, max: 9 }),
      maxCrashes: option(fc.nat({ max: 9 })),
      backoff: option(
        fc.record({
          initialMs: rightMs,
          factor: fc.double({ min: 1, max: 9, noNaN: true }),
          maxMs: fc.constant(1e10),
          jitter: fc.constantFrom(0, -0, 0.5),
        }),
      ),
      more: oddValue,
    }),
  ),
}).map((changes) => ({ ...anything, ...changes }))

/** The value as a program reads it: without properties that are `undefined`, and without minus zero. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value) ?? 'null')

/** Calls; `undefined` if the call was refused with a code that says why. */
const accepted = async <T>(call: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await call()
  } catch (error) {
    expect(refusals).toContain(codeOf(error))
    return undefined
  }
}

describe('what is accepted is read back equal', () => {
  test('of a submit, whatever its options, its payload and its task are', async () => {
    let count = 0
    let acceptedCount = 0
    await fc.assert(
      fc.asyncProperty(submitOptions, changedTask, option(fc.jsonValue()), async (options, task, payload) => {
        // A key of its own for each run: a key that is used again gives the task of before.
        const key = (options as { idempotencyKey?: unknown }).idempotencyKey
        const given = typeof key === 'string' && key !== '' ? { ...options, idempotencyKey: `${count++}${key}` } : options
        const before = memory.inspect().histories
        const submitted = await accepted(() => manager.submit(task, payload, any(given)))
        if (submitted === undefined) {
          expect(memory.inspect().histories).toBe(before)
          return
        }
        acceptedCount++
        const { labels = [], retryOf, idempotencyKey } = given as { labels?: string[]; retryOf?: string; idempotencyKey?: string }
        const [event] = await submitted.history()
        // Memory keeps values: other engines keep text.
        expect(event && decodeEvent(encodeEvent(event))).toStrictEqual(event)
        const expected = { labels: [...new Set(labels)], retryOf, idempotencyKey, queue: task.queue, timeoutMs: task.timeoutMs }
        expect(event).toMatchObject(plain(expected) as object)
        const { more: _more, ...retry } = task.retry as { more?: unknown }
        expect(event).toMatchObject({
          retry: plain(retry) as object,
          task: { type: 'anything', version: task.version, payload: plain(payload) },
        })
        // Whoever reads the row reads the same.
        const details = await submitted.details()
        expect(decodeDetails(encodeDetails(details))).toStrictEqual(details)
        expect(details).toMatchObject(plain(expected) as object)
        for (const label of labels)
          expect((await manager.list({ label, limit: 1_000 })).tasks.map((row) => row.taskId)).toContain(submitted.id)
      }),
      { numRuns: 400 },
    )
    // Otherwise the test shows only refusals.
    expect(acceptedCount).toBeGreaterThan(50)
  })

  test('of a cancel, whatever its reason and its author are', async () => {
    await fc.assert(
      fc.asyncProperty(record({ reason: option(oddText), by: option(oddText) }), async (options) => {
        const task = await manager.submit(anything, 1)
        const cancelled = await accepted(() => task.cancel(any(options)))
        const { reason, by = manager.nodeId } = options as { reason?: string; by?: string }
        const details = await task.details()
        for (const event of await task.history()) expect(decodeEvent(encodeEvent(event))).toStrictEqual(event)
        if (cancelled === undefined) expect(details.status).toBe('waiting')
        else expect(details).toMatchObject(plain({ status: 'cancelled', cancelReason: reason, cancelRequestedBy: by }) as object)
      }),
      { numRuns: 200 },
    )
  })

  test('of a node, whatever its name is', async () => {
    await fc.assert(
      fc.asyncProperty(oddText, async (name) => {
        const node = await accepted(() => createTaskManager({ tasks: [anything], worker: false, name, logger: silentLogger }))
        if (node === undefined) return
        expect(node.nodeId).toContain(name)
        const nodes = await node.nodes()
        expect(nodes.map((each) => each.name)).toEqual([name])
        const task = await node.submit(anything, 1)
        expect((await task.details()).createdOn).toBe(node.nodeId)
        await node.close()
      }),
      { numRuns: 50 },
    )
  })

  test('of a body: its result, its progress and its error', async () => {
    let body: () => unknown = () => undefined
    const odd = defineTask({
      type: 'odd',
      payload: unchecked<unknown>(),
      run({ progress }) {
        const value = body()
        try {
          progress(value)
        } catch (error) {
          expect(refusals).toContain(codeOf(error))
        }
        return value
      },
    })
    const node = await createTaskManager({ tasks: [odd], worker: { slots: 1 }, logger: silentLogger })
    await fc.assert(
      fc.asyncProperty(oddValue, fc.boolean(), async (value, throws) => {
        body = () => {
          if (throws) throw value
          return value
        }
        const task = await node.submit(odd, 1)
        const details = await task.finished()
        for (const event of await task.history()) expect(decodeEvent(encodeEvent(event))).toStrictEqual(event)
        expect(decodeDetails(encodeDetails(details))).toStrictEqual(details)
        if (throws) expect(details).toMatchObject({ status: 'failed', error: { name: expect.any(String) as string } })
        else if (details.status === 'completed') {
          expect(details.result).toEqual(value === undefined ? undefined : plain(value))
          if (details.progress !== undefined) expect(details.progress.value).toEqual(plain(value))
        } else expect(refusals).toContain(details.error?.code)
      }),
      { numRuns: 300 },
    )
    await node.close()
  })

  test('of any error that is described', () => {
    const base = { taskId: taskIdOfKey('x', 'y'), version: 3, eventId: 'e', at: 1, node: 'n', attempt: 1 } as const
    fc.assert(
      fc.property(oddValue, oddText, oddText, (thrown, name, message) => {
        for (const each of [
          thrown,
          Object.assign(new Error(message), { name, code: message }),
          { name, message, stack: thrown, code: thrown },
        ]) {
          const event = { type: 'TaskFailed', ...base, error: describeError(each) } as const
          expect(decodeEvent(encodeEvent(event))).toEqual(event)
        }
      }),
    )
  })
})

test('an order number is no id of a task: it is refused, and the listing goes on', async () => {
  const before = memory.inspect()
  await expect(manager.submit(anything, 1, { retryOf: any('ORDER-17') })).rejects.toMatchObject({ code: 'MISUSE' })
  expect(memory.inspect()).toEqual(before)
  expect((await manager.list({ limit: 1 })).tasks.every((row) => isTaskId(row.taskId))).toBe(true)
})
