import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import type { JsonValue } from '../../src/domain/json.ts'
import type { TaskContext, TaskDeclaration, TaskFactory } from '../../src/tasks/task-factory.ts'
import type { PayloadArguments, PayloadOf, ProgressOf, ResultOf } from '../../src/tasks/typed-task.ts'
import { declareTask, defineTask, implementTask, unchecked } from '../../src/tasks/define-task.ts'

/** Stands for the manager: what follows a task is inferred from it. */
declare const submit: <Task extends TaskDeclaration>(
  task: Task,
  ...rest: PayloadArguments<Task, { readonly labels?: readonly string[] }>
) => { result(): Promise<ResultOf<Task>>; progress(): ProgressOf<Task> | undefined }

describe('a task with zod schemas', () => {
  const reindex = defineTask({
    type: 'reindex',
    version: 2,
    payload: z.object({ mailbox: z.string(), since: z.coerce.date<string>(), depth: z.number().default(1) }),
    progress: z.object({ done: z.number() }),
    upcast: { 1: (old) => ({ mailbox: old.name, since: old.since }) },
    async run({ payload, progress, lastProgress, signal }) {
      expectTypeOf(payload).toEqualTypeOf<{ mailbox: string; since: Date; depth: number }>()
      expectTypeOf(progress).parameter(0).toEqualTypeOf<{ done: number }>()
      expectTypeOf(lastProgress).toEqualTypeOf<{ done: number } | undefined>()
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
      // @ts-expect-error: the progress is another
      progress({ finished: 3 })
      return { messages: 12 }
    },
  })

  test('takes the input of its schema on submit', () => {
    expectTypeOf<PayloadOf<typeof reindex>>().toEqualTypeOf<{ mailbox: string; since: string; depth?: number | undefined }>()
    submit(reindex, { mailbox: 'inbox', since: '2024-01-01' })
    submit(reindex, { mailbox: 'inbox', since: '2024-01-01' }, { labels: ['a'] })
    // @ts-expect-error: a payload is needed
    submit(reindex)
    // @ts-expect-error: the mailbox is no number
    submit(reindex, { mailbox: 1, since: '2024-01-01' })
  })

  test('has the returned value of its body as its result', () => {
    expectTypeOf<ResultOf<typeof reindex>>().toEqualTypeOf<{ messages: number }>()
    const task = submit(reindex, { mailbox: 'inbox', since: '2024-01-01' })
    expectTypeOf(task.result()).resolves.toEqualTypeOf<{ messages: number }>()
    expectTypeOf(task.progress()).toEqualTypeOf<{ done: number } | undefined>()
  })

  test('is a factory and a declaration', () => {
    expectTypeOf(reindex).toExtend<TaskFactory>()
    expectTypeOf([reindex]).toExtend<readonly TaskDeclaration[]>()
  })
})

test('a task with valibot schemas: the same', () => {
  const count = defineTask({
    type: 'count',
    payload: v.object({
      words: v.pipe(
        v.string(),
        v.transform((text) => text.split(' ')),
      ),
    }),
    run: ({ payload }) => {
      expectTypeOf(payload).toEqualTypeOf<{ words: string[] }>()
      return payload.words.length
    },
  })
  expectTypeOf<PayloadOf<typeof count>>().toEqualTypeOf<{ words: string }>()
  expectTypeOf<ResultOf<typeof count>>().toEqualTypeOf<number>()
  expectTypeOf<ProgressOf<typeof count>>().toEqualTypeOf<unknown>()
})

test('a task with arktype schemas: the same', () => {
  const count = defineTask({
    type: 'count',
    payload: type({ words: 'string', 'limit?': 'number' }),
    async run({ payload }) {
      expectTypeOf(payload).toEqualTypeOf<{ words: string; limit?: number }>()
      return null
    },
  })
  expectTypeOf<PayloadOf<typeof count>>().toEqualTypeOf<{ words: string; limit?: number }>()
  expectTypeOf<ResultOf<typeof count>>().toEqualTypeOf<null>()
})

describe('a task without a payload schema', () => {
  const ping = defineTask({
    type: 'ping',
    run({ payload, progress }) {
      expectTypeOf(payload).toEqualTypeOf<undefined>()
      expectTypeOf(progress).parameter(0).toEqualTypeOf<unknown>()
      return 'pong' as const
    },
  })

  test('is submitted without a payload', () => {
    expectTypeOf<PayloadOf<typeof ping>>().toEqualTypeOf<undefined>()
    submit(ping)
    submit(ping, undefined, { labels: ['a'] })
    // @ts-expect-error: it takes none
    submit(ping, { mailbox: 'inbox' })
  })

  test('has the returned value of its body as its result', () => {
    expectTypeOf<ResultOf<typeof ping>>().toEqualTypeOf<'pong'>()
  })
})

test('a payload that may be undefined is optional', () => {
  const sweep = defineTask({ type: 'sweep', payload: z.object({ days: z.number() }).optional(), run: ({ payload }) => payload?.days ?? 0 })
  submit(sweep)
  submit(sweep, { days: 3 })
})

describe('a result schema', () => {
  test('types the returned value and the awaited result', () => {
    const summarise = defineTask({
      type: 'summarise',
      result: z.object({ total: z.string().transform(Number) }),
      run: () => ({ total: '12' }),
    })
    expectTypeOf<ResultOf<typeof summarise>>().toEqualTypeOf<{ total: number }>()
  })

  test('refuses a body that returns something else', () => {
    // @ts-expect-error: the total is a string
    defineTask({ type: 'summarise', result: z.object({ total: z.string() }), run: async () => ({ total: 12 }) })
  })
})

describe('a declared task', () => {
  const declared = declareTask({ type: 'convert', payload: z.object({ size: z.number() }), result: z.object({ url: z.string() }) })

  test('is submitted and awaited like a defined one', () => {
    const task = submit(declared, { size: 3 })
    expectTypeOf(task.result()).resolves.toEqualTypeOf<{ url: string }>()
    // @ts-expect-error: the size is a number
    submit(declared, { size: 'big' })
  })

  test('gives its body the types', () => {
    const implemented = implementTask(declared, async ({ payload }) => ({ url: `https://example.org/${payload.size}` }))
    expectTypeOf<PayloadOf<typeof implemented>>().toEqualTypeOf<{ size: number }>()
    expectTypeOf<ResultOf<typeof implemented>>().toEqualTypeOf<{ url: string }>()
    // @ts-expect-error: the result is another
    implementTask(declared, async () => ({ path: '/' }))
  })

  test('without a result schema has a result of an unknown type, until it is implemented', () => {
    const ping = declareTask({ type: 'ping' })
    expectTypeOf<ResultOf<typeof ping>>().toEqualTypeOf<unknown>()
    const implemented = implementTask(ping, () => 12)
    expectTypeOf<ResultOf<typeof implemented>>().toEqualTypeOf<number>()
  })
})

test('unchecked gives types without checks', () => {
  const move = defineTask({
    type: 'move',
    payload: unchecked<{ from: string; to: string }>(),
    progress: unchecked<number>(),
    run({ payload, progress }) {
      expectTypeOf(payload).toEqualTypeOf<{ from: string; to: string }>()
      progress(3)
    },
  })
  expectTypeOf<PayloadOf<typeof move>>().toEqualTypeOf<{ from: string; to: string }>()
  expectTypeOf<ProgressOf<typeof move>>().toEqualTypeOf<number>()
  expectTypeOf<ResultOf<typeof move>>().toEqualTypeOf<void>()
})

test('a task of a hand-written factory has no types', () => {
  expectTypeOf<PayloadOf<TaskFactory>>().toEqualTypeOf<unknown>()
  expectTypeOf<ResultOf<TaskFactory>>().toEqualTypeOf<unknown>()
  expectTypeOf<ProgressOf<TaskFactory>>().toEqualTypeOf<unknown>()
})

interface Tree {
  readonly name: string
  readonly children: readonly Tree[]
  readonly parent?: Tree
}
interface Counted {
  readonly messages: number
  readonly note?: string | undefined
}
type OrderId = string & { readonly brand: 'order' }

describe('what JSON cannot hold does not compile without a schema', () => {
  const date = new Date()

  test('as a result', () => {
    // @ts-expect-error: a Date
    defineTask({ type: 'x', run: () => ({ at: date }) })
    // @ts-expect-error: a Date, deep inside of a promise
    defineTask({ type: 'x', run: async () => ({ days: [{ at: date }] }) })
    // @ts-expect-error: a Date that may be there
    defineTask({ type: 'x', run: (): { at?: Date } => ({}) })
    // @ts-expect-error: a bigint
    defineTask({ type: 'x', run: () => 3n })
    // @ts-expect-error: a Map
    defineTask({ type: 'x', run: () => new Map([['a', 1]]) })
    // @ts-expect-error: bytes
    defineTask({ type: 'x', run: () => [new Uint8Array(3)] })
    // @ts-expect-error: undefined in an array comes back as null
    defineTask({ type: 'x', run: () => [undefined, 'x'] })
    // @ts-expect-error: a method
    defineTask({ type: 'x', run: () => ({ total: () => 3 }) })
    // @ts-expect-error: an error
    defineTask({ type: 'x', run: () => ({ why: new Error('x') }) })
    // @ts-expect-error: a promise inside
    defineTask({ type: 'x', run: () => ({ size: Promise.resolve(3) }) })
    // @ts-expect-error: a symbol
    defineTask({ type: 'x', run: () => Symbol('x') })
    // @ts-expect-error: the same in an implementation
    implementTask(declareTask({ type: 'x' }), () => ({ at: date }))
  })

  test('as the output of a result schema', () => {
    // @ts-expect-error: the stored result would be a Date
    defineTask({ type: 'x', result: z.object({ at: z.date() }), run: () => ({ at: date }) })
    defineTask({ type: 'x', result: z.object({ at: z.date().transform((at) => at.toISOString()) }), run: () => ({ at: date }) })
  })

  test('as progress', () => {
    defineTask({
      type: 'x',
      run({ progress }) {
        // @ts-expect-error: a Date
        progress({ at: date })
        // @ts-expect-error: a bigint
        progress(3n)
        progress({ done: 3 })
        const counted: Counted = { messages: 3 }
        progress(counted)
      },
    })
  })

  test('as an unchecked payload', () => {
    const stamped = defineTask({ type: 'x', payload: unchecked<{ at: Date }>(), run: () => {} })
    // @ts-expect-error: a Date
    submit(stamped, { at: date })
  })
})

describe('what JSON can hold compiles, and keeps its type', () => {
  test('as a result', () => {
    const counted = defineTask({ type: 'x', run: async (): Promise<Counted> => ({ messages: 3 }) })
    expectTypeOf<ResultOf<typeof counted>>().toEqualTypeOf<Counted>()
    const tree = defineTask({ type: 'x', run: (): Tree => ({ name: 'root', children: [] }) })
    expectTypeOf<ResultOf<typeof tree>>().toEqualTypeOf<Tree>()
    const list = defineTask({ type: 'x', run: (): readonly Counted[] => [] })
    expectTypeOf<ResultOf<typeof list>>().toEqualTypeOf<readonly Counted[]>()
    const branded = defineTask({ type: 'x', run: (): OrderId => 'x' as OrderId })
    expectTypeOf<ResultOf<typeof branded>>().toEqualTypeOf<OrderId>()
    const some = defineTask({ type: 'x', run: (): Counted | undefined => undefined })
    expectTypeOf<ResultOf<typeof some>>().toEqualTypeOf<Counted | undefined>()
    const json = defineTask({ type: 'x', run: (): JsonValue => null })
    expectTypeOf<ResultOf<typeof json>>().toEqualTypeOf<JsonValue>()
    const unknown = defineTask({ type: 'x', run: (): unknown => 3 })
    expectTypeOf<ResultOf<typeof unknown>>().toEqualTypeOf<unknown>()
    const record = defineTask({ type: 'x', run: (): Record<string, unknown> => ({}) })
    expectTypeOf<ResultOf<typeof record>>().toEqualTypeOf<Record<string, unknown>>()
    const absent = defineTask({ type: 'x', run: (): { a: string | undefined } => ({ a: undefined }) })
    expectTypeOf<ResultOf<typeof absent>>().toEqualTypeOf<{ a: string | undefined }>()
    const never = defineTask({ type: 'x', run: () => Promise.reject(new Error('x')) })
    expectTypeOf<ResultOf<typeof never>>().toEqualTypeOf<never>()
    const either = defineTask({ type: 'x', run: () => (Math.random() > 2 ? { a: 1 } : Promise.resolve(null)) })
    expectTypeOf<ResultOf<typeof either>>().toEqualTypeOf<{ a: number } | null>()
  })

  test('as an unchecked payload', () => {
    const interfaces = defineTask({ type: 'x', payload: unchecked<Tree>(), run: ({ payload }) => payload.name })
    expectTypeOf<PayloadOf<typeof interfaces>>().toEqualTypeOf<Tree>()
    submit(interfaces, { name: 'x', children: [{ name: 'y', children: [] }] })
    const anyone = defineTask({ type: 'x', payload: unchecked<unknown>(), run: () => {} })
    expectTypeOf<PayloadOf<typeof anyone>>().toEqualTypeOf<unknown>()
  })

  test('in a function over any schema, and in one over the context', () => {
    const over = <Schema extends z.ZodType>(schema: Schema) => defineTask({ type: 'x', payload: schema, progress: schema, run: () => {} })
    expectTypeOf<PayloadOf<ReturnType<typeof over<z.ZodNumber>>>>().toEqualTypeOf<number>()
    const report = (context: TaskContext<undefined>): void => context.progress({ done: 1 })
    defineTask({ type: 'x', run: (context) => report(context) })
  })
})
