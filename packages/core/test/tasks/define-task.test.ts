import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defaultRetryPolicy } from '../../src/domain/retry-policy.ts'
import { isMisuse } from '../../src/ports/index.ts'
import type { DeclareOptions } from '../../src/tasks/task-options.ts'
import { declareTask, defineTask, implementTask, unchecked } from '../../src/tasks/define-task.ts'
import { isTaskFactory } from '../../src/tasks/task-factory.ts'
import { runStored } from './bodies.ts'

const run = (): void => {}

describe('a definition', () => {
  test('has version 1, the default queue and the default retry policy by default', () => {
    const task = defineTask({ type: 'ping', run })
    expect(task).toMatchObject({ type: 'ping', version: 1, queue: 'default', retry: defaultRetryPolicy })
    expect(task).not.toHaveProperty('timeoutMs')
    expect(isTaskFactory(task)).toBe(true)
  })

  test('has the options that were given', () => {
    const task = defineTask({ type: 'ping', version: 3, queue: 'mailboxes', timeoutMs: 5_000, run })
    expect(task).toMatchObject({ version: 3, queue: 'mailboxes', timeoutMs: 5_000 })
  })

  test('cannot be changed', () => {
    const task = defineTask({ type: 'ping', run })
    expect(() => Object.assign(task, { queue: 'other' })).toThrow(TypeError)
  })

  test('fills in the rest of its retry policy', () => {
    const { retry } = defineTask({ type: 'ping', retry: { maxAttempts: 3, backoff: { initialMs: 50 } }, run })
    expect(retry).toEqual({ maxAttempts: 3, maxCrashes: 3, backoff: { initialMs: 50, factor: 2, maxMs: 60_000, jitter: 0.2 } })
  })

  test('raises the maximum delay to a first delay above it', () => {
    const { retry } = defineTask({ type: 'ping', retry: { backoff: { initialMs: 3_600_000 } }, run })
    expect(retry.backoff).toMatchObject({ initialMs: 3_600_000, maxMs: 3_600_000 })
  })
})

describe('a mistake in a definition is a TypeError that names the option', () => {
  const huge = 366 * 24 * 60 * 60 * 1_000

  test.each<[string, object, RegExp]>([
    ['no type', { type: undefined }, /the type of a task is undefined: give a text of 1 to 200 characters/],
    ['a type that is no text', { type: 7 }, /the type of a task is 7: give a text of 1 to 200 characters/],
    ['an empty type', { type: '' }, /the type of a task is "": give a text of 1 to 200 characters/],
    ['an over-long type', { type: 'x'.repeat(201) }, /the type of a task is "x+…": give a text of 1 to 200 characters/],
    ['a type with a line end', { type: 'a\nb' }, /is "a\\nb": give a text without control characters/],
    ['a type with a null character', { type: 'a\u0000' }, /control characters/],
    ['a type with half a character', { type: 'a\ud800' }, /half of a surrogate pair/],
    ['a type that begins with a space', { type: ' a' }, /is " a": give a text .* without a space at its ends/],
    ['version 0', { version: 0 }, /"ping": version is 0: give a whole number, 1 to 1000000/],
    ['a broken version', { version: 1.5 }, /version is 1\.5: give/],
    ['a version that is text', { version: '2' }, /version is "2": give a whole number, 1 to/],
    ['a version that is no number', { version: Number.NaN }, /version is NaN: give/],
    ['an empty queue', { queue: '' }, /queue is "": give 1 to 100 letters/],
    ['a queue with a space', { queue: 'my queue' }, /queue is "my queue": give/],
    ['an over-long queue', { queue: 'q'.repeat(101) }, /queue is "q+…": give/],
    ['no time', { timeoutMs: 0 }, /timeoutMs is 0: give milliseconds, more than 0 and at most 31536000000 \(365 days\)/],
    ['a negative time', { timeoutMs: -1 }, /timeoutMs is -1: give/],
    ['a time that is no number', { timeoutMs: Number.NaN }, /timeoutMs is NaN: give/],
    ['endless time', { timeoutMs: Infinity }, /timeoutMs is Infinity: give/],
    ['more than a year', { timeoutMs: huge }, /timeoutMs is \d+: give/],
    ['a time that is text', { timeoutMs: '5s' }, /timeoutMs is "5s": give/],
    ['no attempts', { retry: { maxAttempts: 0 } }, /retry\.maxAttempts is 0: give a whole number, 1 to 1000000/],
    ['half an attempt', { retry: { maxAttempts: 1.5 } }, /retry\.maxAttempts/],
    ['endless attempts', { retry: { maxAttempts: Infinity } }, /retry\.maxAttempts is Infinity: give/],
    ['negative crashes', { retry: { maxCrashes: -1 } }, /retry\.maxCrashes is -1: give a whole number, 0 to 1000000/],
    ['a negative delay', { retry: { backoff: { initialMs: -1 } } }, /retry\.backoff\.initialMs is -1: give a number, 0 to/],
    ['a delay that is no number', { retry: { backoff: { initialMs: Number.NaN } } }, /retry\.backoff\.initialMs is NaN: give/],
    ['a huge delay', { retry: { backoff: { maxMs: huge } } }, /retry\.backoff\.maxMs/],
    ['a factor that shrinks', { retry: { backoff: { factor: 0.5 } } }, /retry\.backoff\.factor is 0\.5: give a number, 1 to 1000/],
    ['an endless factor', { retry: { backoff: { factor: Infinity } } }, /retry\.backoff\.factor/],
    [
      'a longest delay under the first',
      { retry: { backoff: { initialMs: 100, maxMs: 50 } } },
      /retry\.backoff\.maxMs is 50: give a number, 100 to/,
    ],
    ['too much jitter', { retry: { backoff: { jitter: 1.1 } } }, /retry\.backoff\.jitter is 1\.1: give a number, 0 to 1/],
    ['a payload that is no schema', { payload: { mailbox: 'string' } }, /payload is an object: give a Standard Schema/],
    ['a result that is no schema', { result: String }, /result is a function: give a Standard Schema/],
    ['a progress that is null', { progress: null }, /progress is null: give a Standard Schema/],
    [
      'an upcast from no version',
      { version: 2, upcast: { 0: run, 1: run } },
      /upcast\.0 is not a step to a known version: give steps from 1 to 1/,
    ],
    ['an upcast from the current version', { version: 2, upcast: { 1: run, 2: run } }, /upcast\.2 is not a step to a known version/],
    ['an upcast from a word', { version: 2, upcast: { first: run } }, /upcast\.first is (given, but version 1 is the first|not a step)/],
    ['an upcast in version 1', { upcast: { 1: run } }, /upcast\.1 is given, but version 1 is the first: leave upcast out/],
    ['an upcast that is no function', { version: 2, upcast: { 1: 'x' } }, /upcast\.1 is "x": give a function/],
    [
      'a gap among the upcasts',
      { version: 4, upcast: { 1: run, 3: run } },
      /upcast\.2 is missing: give it, so that version 1 can become version 4/,
    ],
    ['no body', { run: undefined }, /run is undefined: give a function/],
    ['attempts outside of retry', { attempts: 3 }, /defineTask has no option "attempts": give retry: \{ maxAttempts \}/],
    ['attempts of another library', { retry: { attempts: 3 } }, /retry has no option "attempts": did you mean maxAttempts\?/],
    [
      'a backoff that is a name',
      { retry: { backoff: 'exponential' } },
      /retry\.backoff is "exponential": give an object of initialMs, factor/,
    ],
    ['a backoff of another library', { retry: { backoff: { type: 'fixed', delay: 3 } } }, /backoff has no option "type"/],
    ['a retry that is a number', { retry: 3 }, /retry is 3: give an object of maxAttempts/],
    ['a timeout without its unit', { timeout: 3 }, /defineTask has no option "timeout": did you mean timeoutMs\?/],
    ['a handler', { handler: run }, /defineTask has no option "handler": did you mean run\?/],
    ['a null queue', { queue: null }, /queue is null: give 1 to 100 letters/],
    ['null upcasts', { upcast: null }, /upcast is null: give an object/],
    ['attempts that are text', { retry: { maxAttempts: '3' } }, /retry\.maxAttempts is "3": give a whole number/],
  ])('%s', (_what, wrong, message) => {
    let thrown: unknown
    try {
      defineTask({ type: 'ping', run, ...wrong })
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(TypeError)
    expect(thrown).toMatchObject({ code: 'MISUSE', message: expect.stringMatching(message) as string })
    expect(isMisuse(thrown)).toBe(true)
  })

  test('the first versions may be left out when none of them is stored any more', () => {
    expect(() => defineTask({ type: 'ping', version: 4, upcast: { 2: run, 3: run }, run })).not.toThrow()
  })
})

// The same task with each of the three libraries: text in, parsed on the way to the body.
const schemas: readonly (readonly [string, DeclareOptions['payload']])[] = [
  ['zod', z.object({ mailbox: z.string().min(1), size: z.string().transform(Number).optional() })],
  ['valibot', v.object({ mailbox: v.pipe(v.string(), v.minLength(1)), size: v.optional(v.pipe(v.string(), v.transform(Number))) })],
  ['arktype', type({ mailbox: 'string > 0', 'size?': 'string.numeric.parse' })],
]

describe.each(schemas)('a payload with a schema of %s', (_library, payload) => {
  const task = defineTask({ type: 'reindex', payload, run: (context) => context.payload })

  test('is stored as it was submitted, and reaches the body as the output of the schema', async () => {
    const stored = await task.encode({ mailbox: 'inbox', size: '12' })
    expect(stored).toEqual({ mailbox: 'inbox', size: '12' })
    expect(await runStored(task, 1, stored)).toEqual({ mailbox: 'inbox', size: 12 })
  })

  test('is refused on submit with the issues', async () => {
    const error: unknown = await task.encode({ mailbox: 7 }).catch((error: unknown) => error)
    expect(error).toMatchObject({ name: 'InvalidValue', code: 'INVALID_PAYLOAD' })
    expect((error as Error).message).toMatch(/^the payload of task type "reindex" was refused by its schema: .*mailbox/)
    // Strictly: the lists of a library are often of classes of its own.
    expect((error as { issues: unknown }).issues).toStrictEqual([{ path: ['mailbox'], message: expect.any(String) as string }])
  })

  test('is refused as a whole if it is missing', async () => {
    await expect(task.encode(undefined)).rejects.toMatchObject({ code: 'INVALID_PAYLOAD', issues: [{ path: [] }] })
    await expect(task.encode(null)).rejects.toMatchObject({ code: 'INVALID_PAYLOAD' })
  })

  test('is refused again before the run', async () => {
    await expect(task.decode(1, { mailbox: '' })).rejects.toMatchObject({ code: 'INVALID_PAYLOAD', issues: [{ path: ['mailbox'] }] })
  })

  test('that is not JSON is refused before the schema sees it', async () => {
    await expect(task.encode({ mailbox: 'inbox', size: 12n })).rejects.toMatchObject({
      code: 'NOT_JSON',
      message: expect.stringContaining('payload.size') as string,
    })
  })
})

describe('the issues', () => {
  test('have the path and the message, and nothing else of the library', async () => {
    const task = defineTask({ type: 'deep', payload: v.object({ boxes: v.array(v.object({ name: v.string() })) }), run })
    const error: unknown = await task.encode({ boxes: [{ name: 'a' }, { name: 1 }] }).catch((error: unknown) => error)
    expect(error).toMatchObject({ issues: [{ path: ['boxes', 1, 'name'] }], message: expect.stringContaining('boxes.1.name: ') as string })
    expect(Object.keys((error as { issues: object[] }).issues[0] ?? {}).toSorted()).toEqual(['message', 'path'])
  })

  test('are complete, and the message has the first ten', async () => {
    const task = defineTask({ type: 'deep', payload: z.array(z.string()), run })
    const error: unknown = await task.encode(Array.from({ length: 25 }, () => 1)).catch((error: unknown) => error)
    expect((error as { issues: unknown[] }).issues).toHaveLength(25)
    expect((error as Error).message).toMatch(/9: .*; and 15 more$/)
  })
})

describe('an async schema', () => {
  const payload = z.object({ mailbox: z.string().refine(async (name) => Promise.resolve(name !== 'spam'), 'is never indexed') })
  const task = defineTask({ type: 'reindex', payload, run: (context) => context.payload.mailbox })

  test('is awaited', async () => {
    expect(await runStored(task, 1, await task.encode({ mailbox: 'inbox' }))).toBe('inbox')
    await expect(task.encode({ mailbox: 'spam' })).rejects.toThrow('mailbox: is never indexed')
  })

  test('sees a copy: a change by the caller meanwhile is not stored', async () => {
    const submitted = { mailbox: 'inbox' }
    const encoding = task.encode(submitted)
    submitted.mailbox = 'spam'
    expect(await encoding).toEqual({ mailbox: 'inbox' })
  })
})

test.each<[string, () => unknown]>([
  [
    'throws',
    () => {
      throw new Error('bug')
    },
  ],
  ['rejects', () => Promise.reject(new Error('bug'))],
])('a schema that %s refuses, with the cause', async (_how, validate) => {
  const broken = { '~standard': { version: 1, vendor: 'mine', validate } } as never
  const task = defineTask({ type: 'broken', payload: broken, run })
  await expect(task.encode(1)).rejects.toMatchObject({
    code: 'INVALID_PAYLOAD',
    issues: [],
    cause: expect.objectContaining({ message: 'bug' }) as Error,
  })
  await expect(task.decode(1, 1)).rejects.toMatchObject({ code: 'INVALID_PAYLOAD' })
})

describe('a task without a payload schema', () => {
  const task = defineTask({ type: 'ping', run: ({ payload }) => ({ payload }) })

  test('stores null, and its body receives undefined', async () => {
    expect(await task.encode(undefined)).toBeNull()
    expect(await task.encode(null)).toBeNull()
    expect(await runStored(task, 1, null)).toStrictEqual({ payload: undefined })
  })

  test('refuses a payload, which would be lost', async () => {
    await expect(task.encode({ mailbox: 'inbox' })).rejects.toMatchObject({
      code: 'INVALID_PAYLOAD',
      message: expect.stringContaining('"ping" takes no payload') as string,
    })
  })
})

describe('a payload that may be undefined', () => {
  test('is undefined again in the body', async () => {
    const task = defineTask({ type: 'sweep', payload: z.object({ days: z.number() }).optional(), run: ({ payload }) => ({ payload }) })
    expect(await task.encode(undefined)).toBeNull()
    expect(await runStored(task, 1, null)).toStrictEqual({ payload: undefined })
    expect(await runStored(task, 1, { days: 3 })).toStrictEqual({ payload: { days: 3 } })
  })

  test('takes its default', async () => {
    const task = defineTask({
      type: 'sweep',
      payload: z.object({ days: z.number() }).default({ days: 7 }),
      run: ({ payload }) => payload.days,
    })
    expect(await runStored(task, 1, await task.encode(undefined))).toBe(7)
  })

  test('is null if the schema accepts null', async () => {
    const task = defineTask({ type: 'sweep', payload: z.null(), run: ({ payload }) => [payload] })
    expect(await runStored(task, 1, await task.encode(null))).toEqual([null])
  })
})

describe('the body', () => {
  test('receives its whole context', async () => {
    const task = defineTask({ type: 'ping', run: ({ attempt, labels, taskId }) => ({ attempt, labels, taskId }) })
    const context = { attempt: 2, labels: ['a'] }
    expect(await runStored(task, 1, null, context)).toEqual({ ...context, taskId: '018cc251-f400-7000-8000-000000000000' })
  })

  test('that throws, at once or later, fails the run', async () => {
    const atOnce = defineTask({
      type: 'ping',
      run: () => {
        throw new Error('at once')
      },
    })
    const later = defineTask({ type: 'ping', run: async () => Promise.reject(new Error('later')) })
    await expect(runStored(atOnce, 1, null)).rejects.toThrow('at once')
    await expect(runStored(later, 1, null)).rejects.toThrow('later')
  })

  test('cannot change the stored payload', async () => {
    const task = defineTask({
      type: 'sort',
      payload: unchecked<string[]>(),
      run: ({ payload }) => payload.sort(),
    })
    const stored = ['b', 'a']
    expect(await runStored(task, 1, stored)).toEqual(['a', 'b'])
    expect(stored).toEqual(['b', 'a'])
  })
})

describe('a result with a schema', () => {
  const task = defineTask({
    type: 'sum',
    payload: unchecked<{ total: string }>(),
    result: z.object({ total: z.string().regex(/^\d+$/).transform(Number) }),
    run: ({ payload }) => payload,
  })

  test('is the output of the schema for the returned value', async () => {
    expect(await runStored(task, 1, { total: '12' })).toEqual({ total: 12 })
  })

  test('that the schema refuses is a failure with the issues', async () => {
    await expect(runStored(task, 1, { total: 'many' })).rejects.toMatchObject({
      code: 'INVALID_RESULT',
      issues: [{ path: ['total'] }],
      message: expect.stringContaining('result of task type "sum"') as string,
    })
  })
})

describe('progress with a schema', () => {
  const progress = z.object({ done: z.number() })

  test('is reported unchanged, after the schema has accepted it', async () => {
    const reported: unknown[] = []
    const task = defineTask({ type: 'count', progress, run: ({ progress }) => progress({ done: 3 }) })
    await runStored(task, 1, null, { progress: (value) => void reported.push(value) })
    expect(reported).toEqual([{ done: 3 }])
  })

  test('that the schema refuses throws in the body, and is not reported', async () => {
    const reported: unknown[] = []
    const task = defineTask({ type: 'count', progress, run: ({ progress }) => progress({ done: 'much' } as never) })
    await expect(runStored(task, 1, null, { progress: (value) => void reported.push(value) })).rejects.toMatchObject({
      code: 'INVALID_PROGRESS',
      issues: [{ path: ['done'] }],
    })
    expect(reported).toEqual([])
  })

  test('is not checked by an async schema, since no code waits for a report', async () => {
    const reported: unknown[] = []
    const waiting: StandardSchemaV1<{ done: number }> = {
      '~standard': { version: 1, vendor: 'mine', validate: () => Promise.reject(new Error('no')) },
    }
    const task = defineTask({ type: 'count', progress: waiting, run: ({ progress }) => progress({ done: 3 }) })
    await runStored(task, 1, null, { progress: (value) => void reported.push(value) })
    expect(reported).toEqual([{ done: 3 }])
  })

  test('of the attempt before reaches the body', async () => {
    const task = defineTask({ type: 'count', progress, run: ({ lastProgress }) => lastProgress?.done ?? 0 })
    expect(await runStored(task, 1, null, { lastProgress: { done: 3 } })).toBe(3)
    expect(await runStored(task, 1, null)).toBe(0)
  })

  test('of the attempt before that the schema refuses is left out with a warning', async () => {
    const warnings: string[] = []
    const logger = { debug() {}, info() {}, error() {}, warn: (_fields: object, message: string) => void warnings.push(message) }
    const task = defineTask({ type: 'count', progress, run: ({ lastProgress }) => ({ lastProgress }) })
    expect(await runStored(task, 1, null, { lastProgress: { percent: 3 }, logger })).toStrictEqual({ lastProgress: undefined })
    expect(warnings).toEqual([expect.stringContaining('left out')])
  })
})

describe('an older version', () => {
  const task = defineTask({
    type: 'reindex',
    version: 3,
    payload: z.object({ mailboxes: z.array(z.string()) }),
    upcast: { 1: (old) => ({ mailbox: old.name }), 2: async (old) => Promise.resolve({ mailboxes: [old.mailbox] }) },
    run: ({ payload }) => payload.mailboxes,
  })

  test('is upcast to the current version, step by step', async () => {
    expect(await runStored(task, 1, { name: 'inbox' })).toEqual(['inbox'])
    expect(await runStored(task, 2, { mailbox: 'inbox' })).toEqual(['inbox'])
    expect(await runStored(task, 3, { mailboxes: ['inbox'] })).toEqual(['inbox'])
  })

  test('whose upcast gives a wrong payload is refused', async () => {
    await expect(task.decode(1, {})).rejects.toMatchObject({ code: 'INVALID_PAYLOAD', issues: [{ path: ['mailboxes', 0] }] })
  })

  test('whose step throws is refused, with the cause', async () => {
    await expect(task.decode(1, null)).rejects.toMatchObject({
      code: 'INVALID_PAYLOAD',
      message: expect.stringContaining('from version 1 to 2') as string,
      cause: expect.any(TypeError) as TypeError,
    })
  })

  test('stays as it is stored, even if a step changes its argument', async () => {
    const careless = defineTask({
      type: 'reindex',
      version: 2,
      payload: unchecked<object>(),
      upcast: {
        1: (old: { name?: string }) => {
          delete old.name
          return old
        },
      },
      run,
    })
    const stored = { name: 'inbox' }
    await careless.decode(1, stored)
    expect(stored).toEqual({ name: 'inbox' })
  })

  test.each([0, 4, 1.5, -1])('that is not known (%d) is an error that names the type and the versions', async (version) => {
    await expect(task.decode(version, {})).rejects.toMatchObject({
      name: 'UnknownTaskVersion',
      code: 'UNKNOWN_TASK_VERSION',
      taskType: 'reindex',
      storedVersion: version,
      knownVersions: [1, 2, 3],
      message: `a task of type "reindex" was stored in version ${version}, and this node knows 1, 2, 3: deploy the release that knows it, or add its upcast`,
    })
  })

  test('that has no upcast is unknown', async () => {
    const recent = defineTask({ type: 'reindex', version: 3, payload: unchecked(), upcast: { 2: (old) => old }, run })
    await expect(recent.decode(1, {})).rejects.toMatchObject({ code: 'UNKNOWN_TASK_VERSION', knownVersions: [2, 3] })
  })
})

describe('a declared task', () => {
  const declared = declareTask({
    type: 'convert',
    version: 2,
    queue: 'images',
    timeoutMs: 9,
    payload: z.object({ size: z.number() }),
    result: z.object({ url: z.string() }),
    upcast: { 1: (old) => ({ size: old }) },
    retry: { maxAttempts: 4 },
  })

  test('can be encoded, and not run', async () => {
    expect(isTaskFactory(declared)).toBe(false)
    expect(await declared.encode({ size: 3 })).toEqual({ size: 3 })
    await expect(declared.encode({ size: 'big' })).rejects.toMatchObject({ code: 'INVALID_PAYLOAD' })
  })

  test('is run once it is implemented, with all that was declared', async () => {
    const implemented = implementTask(declared, ({ payload }) => ({ url: `/${payload.size}` }))
    expect(isTaskFactory(implemented)).toBe(true)
    const { type, version, queue, timeoutMs, retry } = declared
    expect(implemented).toMatchObject({ type, version, queue, timeoutMs, retry })
    expect(retry.maxAttempts).toBe(4)
    expect(await runStored(implemented, 1, 3)).toEqual({ url: '/3' })
    await expect(
      runStored(
        implementTask(declared, () => ({ url: 7 }) as never),
        2,
        { size: 3 },
      ),
    ).rejects.toMatchObject({ code: 'INVALID_RESULT' })
  })

  test('is not implemented by a value that is not a function', () => {
    expect(() => implementTask(declared, undefined as never)).toThrow('run is undefined: give a function')
  })

  test('is checked like a definition', () => {
    expect(() => declareTask({ type: '' })).toThrow(TypeError)
  })
})
