import type {
  JsonValue,
  PayloadOf,
  ErrorByCode,
  ErrorCode,
  TaskDetails,
  SubmittedTask,
  TaskHandle,
  TaskId,
  TaskManager,
  ValidationIssue,
} from '@taskledger/core'
import { declareTask, defineTask, hasCode, implementTask, isTaskAborted, unchecked } from '@taskledger/core'
import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expectTypeOf, it } from 'vitest'
import { z } from 'zod'

declare const manager: TaskManager

const reindex = defineTask({
  type: 'reindex',
  payload: z.object({ mailbox: z.string(), since: z.coerce.date().optional() }),
  progress: z.object({ done: z.number() }),
  run: async ({ payload, lastProgress, progress }) => {
    expectTypeOf(payload.since).toEqualTypeOf<Date | undefined>()
    expectTypeOf(lastProgress).toEqualTypeOf<{ done: number } | undefined>()
    progress({ done: 1 })
    // @ts-expect-error the progress is what its schema says
    progress({ finished: 1 })
    return { messages: 42 }
  },
})
const tidy = defineTask({ type: 'tidy', run: () => 'tidied' })

describe('types flow from the definition', () => {
  it('to submit', async () => {
    await manager.submit(reindex, { mailbox: 'inbox' })
    await manager.submit(reindex, { mailbox: 'inbox' }, { labels: ['nightly'] })
    // @ts-expect-error the payload is what its schema takes
    await manager.submit(reindex, { folder: 'inbox' })
    // @ts-expect-error the payload may not be left out
    await manager.submit(reindex)
    await manager.submit(tidy)
    await manager.submit(tidy, undefined, { notBefore: new Date() })
    // @ts-expect-error a task without a payload schema takes none
    await manager.submit(tidy, { mailbox: 'inbox' })
    await manager.submitMany(reindex, [{ mailbox: 'inbox' }])
    // @ts-expect-error every payload is checked
    await manager.submitMany(reindex, [{ mailbox: 1 }])
  })

  it('to result and progress', async () => {
    const task = await manager.submit(reindex, { mailbox: 'inbox' })
    expectTypeOf(task).toEqualTypeOf<SubmittedTask<{ messages: number }, { done: number }, PayloadOf<typeof reindex>>>()
    const handle: TaskHandle<{ messages: number }, { done: number }> = task
    expectTypeOf(await handle.payload()).toEqualTypeOf<unknown>()
    expectTypeOf(await task.result()).toEqualTypeOf<{ messages: number }>()
    expectTypeOf(await task.progress()).toEqualTypeOf<{ done: number } | undefined>()
    expectTypeOf(await (await manager.submit(tidy)).result()).toEqualTypeOf<string>()
  })

  it('to the details, however they are read', async () => {
    const task = await manager.submit(reindex, { mailbox: 'inbox' })
    type Details = TaskDetails<{ messages: number }, { done: number }>
    expectTypeOf(await task.details()).toEqualTypeOf<Details>()
    expectTypeOf(await task.finished()).toEqualTypeOf<Details>()
    for await (const details of task.watch()) expectTypeOf(details).toEqualTypeOf<Details>()
    expectTypeOf((await task.details()).result).toEqualTypeOf<{ messages: number } | undefined>()
    expectTypeOf((await task.details()).progress?.value).toEqualTypeOf<{ done: number } | undefined>()
    // The details of a task with known types are the details of a task.
    expectTypeOf(await task.details()).toExtend<TaskDetails>()
  })

  it('but a listed task may be of any type', async () => {
    for await (const task of manager.tasks({ type: 'reindex' })) expectTypeOf(task).toEqualTypeOf<TaskDetails>()
    expectTypeOf<TaskDetails['result']>().toEqualTypeOf<unknown>()
  })

  it('to a handle by id, where the task is named', async () => {
    expectTypeOf(await manager.task(reindex, 'id').result()).toEqualTypeOf<{ messages: number }>()
    expectTypeOf(manager.task('id')).toEqualTypeOf<TaskHandle<JsonValue | undefined, JsonValue, JsonValue>>()
    const untyped: TaskHandle = manager.task('id')
    expectTypeOf(await untyped.payload()).toEqualTypeOf<unknown>()
    expectTypeOf(await manager.task('id').payload()).toEqualTypeOf<JsonValue>()
    expectTypeOf(await manager.task(reindex, 'id').payload()).toEqualTypeOf<{ mailbox: string; since?: unknown }>()
    expectTypeOf(await manager.task(tidy, 'id').payload()).toEqualTypeOf<undefined>()
  })

  it('from a declaration to its implementation, for every schema library', async () => {
    const declared = declareTask({ type: 'count', payload: v.object({ to: v.number() }), result: type({ counted: 'number' }) })
    expectTypeOf(await (await manager.submit(declared, { to: 3 })).result()).toEqualTypeOf<{ counted: number }>()
    implementTask(declared, ({ payload }) => ({ counted: payload.to }))
    // @ts-expect-error the body has to return what the declaration promises
    implementTask(declared, () => ({ done: true }))
    const free = defineTask({ type: 'free', payload: unchecked<{ a: 1 }>(), run: ({ payload }) => payload.a })
    expectTypeOf(await (await manager.submit(free, { a: 1 })).result()).toEqualTypeOf<1>()
  })
})

describe('an error', () => {
  const error: unknown = undefined

  it('has what belongs to its code', () => {
    if (hasCode(error, 'TASK_FAILED')) expectTypeOf(error.details).toEqualTypeOf<TaskDetails>()
    if (hasCode(error, 'INVALID_PAYLOAD')) expectTypeOf(error.issues).toEqualTypeOf<readonly ValidationIssue[]>()
    if (hasCode(error, 'TASK_NOT_FOUND')) expectTypeOf(error.taskId).toEqualTypeOf<TaskId>()
    if (hasCode(error, 'OUTCOME_UNKNOWN')) expectTypeOf(error.taskId).toEqualTypeOf<TaskId | undefined>()
    if (hasCode(error, 'SUBMIT_INCOMPLETE')) expectTypeOf(error.submitted).toEqualTypeOf<readonly TaskId[]>()
    if (hasCode(error, 'VERSION_CONFLICT')) expectTypeOf(error.actualVersion).toEqualTypeOf<number>()
    if (isTaskAborted(error))
      expectTypeOf(error.code).toEqualTypeOf<'CANCEL_REQUESTED' | 'TIMED_OUT' | 'SHUTTING_DOWN' | 'ATTEMPT_LOST' | 'LEASE_LOST'>()
  })

  it('has one of the known codes', () => {
    // @ts-expect-error there is no such code
    hasCode(error, 'TASK_FAILD')
    // Each code belongs to the error that has it.
    expectTypeOf<{ [Code in ErrorCode]: ErrorByCode[Code]['code'] }>().toEqualTypeOf<{ [Code in ErrorCode]: Code }>()
  })
})
