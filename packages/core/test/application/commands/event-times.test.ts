import { createTaskManager, defineTask, silentLogger } from '@taskledger/core'
import { checkHistory, virtualClock } from '@taskledger/core/testing'
import { createMemory } from '@taskledger/memory'
import { expect, it } from 'vitest'

it('times of a history do not run backwards, whichever node has the slower clock', async () => {
  const memory = createMemory({ logger: silentLogger })
  const hang = defineTask({
    type: 'hang',
    run: ({ signal }) =>
      new Promise<void>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })),
  })
  const clocks = [virtualClock(1_700_000_060_000), virtualClock(1_700_000_000_000)] as const
  const [ahead, behind] = await Promise.all(
    clocks.map((clock, index) =>
      createTaskManager({
        tasks: [hang],
        storage: memory.storage(),
        messaging: memory.messaging(),
        logger: silentLogger,
        clock,
        worker: index === 0 ? {} : false,
      }),
    ),
  )
  const handle = await ahead?.submit(hang)
  for await (const { status } of handle?.watch() ?? []) if (status === 'inProgress') break
  await behind?.task(handle?.id ?? '').cancel()
  expect((await handle?.finished())?.status).toBe('cancelled')
  const history = (await handle?.history()) ?? []
  expect(history.map(({ type }) => type)).toEqual(['TaskCreated', 'TaskStarted', 'TaskCancelRequested', 'TaskCancelled'])
  expect(checkHistory(history)).toEqual([])
  await Promise.all([ahead?.close(), behind?.close()])
})

it('times of a history are whole milliseconds, also of a clock that shows parts of them', async () => {
  const clock = virtualClock(1_700_000_000_000.673)
  const add = defineTask({ type: 'add', run: ({ fence }) => fence })
  await using manager = await createTaskManager({ tasks: [add], logger: silentLogger, clock })
  const details = await (await manager.submit(add)).finished()
  const history = await manager.history(details.taskId)
  expect(history.map(({ at }) => at)).toEqual([1_700_000_000_000, 1_700_000_000_000, 1_700_000_000_000])
  expect(Number.isInteger(details.result)).toBe(true)
})
