// quickstart.ts
import { setTimeout as sleep } from 'node:timers/promises'
import { createTaskManager, defineTask, isTaskCancelled } from '@taskledger/core'
import { z } from 'zod'

// A task: its payload is checked on submit, and again before it runs.
const count = defineTask({
  type: 'count',
  payload: z.object({ to: z.number().int().positive() }),
  progress: z.object({ done: z.number() }),
  async run({ payload, signal, progress }) {
    for (let done = 1; done <= payload.to; done++) {
      await sleep(20, undefined, { signal }) // throws when the task is to stop
      progress({ done })
    }
    return { counted: payload.to }
  },
})

// A node that submits and runs tasks, in memory. On a cluster it is given `storage` and `messaging`.
await using manager = await createTaskManager({ tasks: [count] })

// Submit, watch and await.
const short = await manager.submit(count, { to: 5 })
for await (const { status, progress } of short.watch()) console.log('short is', status, progress?.value ?? '')
const { counted } = await short.result()
console.log('short counted to', counted)

// Cancel: the signal of the running task is aborted, wherever it runs.
const long = await manager.submit(count, { to: 1_000_000 }, { labels: ['demo'] })
await long.cancel({ reason: 'nobody counts that far' })
try {
  await long.result()
} catch (error) {
  if (isTaskCancelled(error)) console.log(error.details.status, 'because', error.details.cancelReason)
  else throw error
}

// List what there is, the newest first.
const { tasks } = await manager.list({ type: 'count' })
for (const { type, status, attempt, labels } of tasks) console.log(type, status, `attempt ${attempt}`, labels.join(' '))
