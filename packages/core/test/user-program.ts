/** What a user's program may do with the types, whatever its compiler options. Never run: a test compiles it against the packed declarations. */
import type { CancelOutcome, SubmitOptions, TaskDetails, TaskHandle, TaskManager } from '@taskledger/core'
import { createTaskManager, declareTask, defineTask, hasCode, implementTask, isTaskAborted, unchecked } from '@taskledger/core'
import { runTask, testManager } from '@taskledger/core/testing'
import { createMemory } from '@taskledger/memory'
import { z } from 'zod'

declare const maybe: string | undefined
declare const maybeNumber: number | undefined

interface Counted {
  readonly messages: number
}

export const reindex = defineTask({
  type: 'reindex',
  queue: maybe,
  timeoutMs: maybeNumber,
  retry: { maxAttempts: maybeNumber, backoff: { initialMs: maybeNumber } },
  payload: z.object({ mailbox: z.string(), since: z.coerce.date().optional() }),
  progress: z.object({ done: z.number() }),
  run: async ({ payload, progress, lastProgress, signal }): Promise<Counted> => {
    progress({ done: lastProgress === undefined ? 0 : lastProgress.done + 1 })
    if (isTaskAborted(signal.reason)) console.log(signal.reason.code)
    return { messages: payload.mailbox.length }
  },
})
export const declared = declareTask({
  type: 'count',
  payload: unchecked<{ readonly to: number }>(),
  result: z.object({ counted: z.number() }),
})
export const counting = implementTask(declared, ({ payload }) => ({ counted: payload.to }))
export const tidy = defineTask({ type: 'tidy', run: () => {} })

interface Report {
  readonly name: string
  readonly parts: readonly Report[]
  readonly note?: string
}
export const reporting = defineTask({
  type: 'report',
  payload: unchecked<Report>(),
  run: async ({ payload, progress }): Promise<Report> => {
    progress({ done: 1, of: payload })
    // @ts-expect-error a Date would come back a text
    progress({ at: new Date() })
    return payload
  },
})
// @ts-expect-error a Date would come back a text
export const stamping = defineTask({ type: 'stamp', run: () => ({ at: new Date() }) })
// @ts-expect-error the same in a promise
export const stampingLater = defineTask({ type: 'stamp', run: async () => ({ days: [{ at: new Date() }] }) })
export const anything = defineTask({ type: 'anything', payload: unchecked<unknown>(), run: ({ payload }): unknown => payload })

export const open = async (): Promise<TaskManager> =>
  createTaskManager({
    tasks: [reindex, counting, tidy],
    name: maybe,
    storage: maybe === undefined ? undefined : createMemory({}).storage(),
    messaging: undefined,
    worker: { slots: maybeNumber, unknownTasks: { maxReleases: maybeNumber } },
    lease: { ttlMs: maybeNumber },
    janitor: { intervalMs: maybeNumber },
  })

export const use = async (): Promise<void> => {
  await using manager = await open()
  const options: SubmitOptions = { idempotencyKey: maybe, delayMs: maybeNumber, signal: undefined, labels: undefined }
  const task: TaskHandle<Counted, { done: number }> = await manager.submit(reindex, { mailbox: 'inbox' }, options)
  const details: TaskDetails<Counted, { done: number }> = await task.details({ signal: undefined })
  console.log(details.result?.messages, details.progress?.value.done)
  const anyTask: TaskDetails = details
  console.log(anyTask.status)
  for await (const { result } of task.watch()) console.log(result?.messages)
  for await (const { type } of manager.tasks({ type: maybe, since: maybeNumber })) console.log(type)
  console.log((await manager.list({ cursor: maybe, limit: maybeNumber })).tasks.length)
  const cancelled: CancelOutcome<Counted> = await task.cancel({ by: maybe, reason: maybe })
  console.log(cancelled.outcome)
  try {
    const { counted }: { counted: number } = await (await manager.submit(declared, { to: 3 })).result({ timeoutMs: maybeNumber })
    console.log(counted)
  } catch (error) {
    if (hasCode(error, 'TASK_FAILED')) console.log(error.details.error?.message)
    if (hasCode(error, 'INVALID_PAYLOAD')) console.log(error.issues.length)
  }
  await manager.submit(tidy)
  const report: Report = await (await manager.submit(reporting, { name: 'a', parts: [] }, { notBefore: '2030-01-31T08:00Z' })).result()
  console.log(report.note, await (await manager.submit(anything, report)).result())
  const ran = await runTask(reindex, { mailbox: 'inbox' }, { cancelAfterMs: maybeNumber })
  console.log(ran.result?.messages)
  await using test = await testManager({ tasks: [tidy], worker: undefined })
  await test.settled()
}
