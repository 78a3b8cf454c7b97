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
