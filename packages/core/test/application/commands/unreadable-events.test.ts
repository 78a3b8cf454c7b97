import type { TaskManager } from '@taskledger/core'
import { createTaskManager, defineTask, silentLogger } from '@taskledger/core'
import type { Clock, TaskStorage } from '@taskledger/core/ports'
import { systemClock } from '@taskledger/core/ports'
import { createMemory } from '@taskledger/memory'
import { afterEach, expect, test } from 'vitest'

const open: TaskManager[] = []
afterEach(async () => {
  for (const manager of open.splice(0)) await manager.close()
})

test('an event that could not be read back is not given to the store', async () => {
  const memory = createMemory()
  const storage = memory.storage()
  let appends = 0
  // A store that would take everything: an adapter need not use the codec.
  const events = {
    capabilities: storage.events.capabilities,
    append: async () => void appends++,
    read: async () => [],
    close: () => storage.events.close(),
  } as unknown as TaskStorage['events']
  // A clock of the caller that gives no number, from some time on.
  let isBroken = false
  const clock: Clock = { ...systemClock, now: () => (isBroken ? Number.NaN : systemClock.now()) }
  const task = defineTask({ type: 'ping', run: () => {} })
  const manager = await createTaskManager({
    tasks: [task],
    worker: false,
    clock,
    storage: { ...storage, events, close: () => storage.close() },
    messaging: memory.messaging(),
    logger: silentLogger,
  })
  open.push(manager)
  isBroken = true
  await expect(manager.submit(task, undefined, { idempotencyKey: 'key' })).rejects.toMatchObject({
    code: 'MALFORMED',
    message: expect.stringContaining('TaskCreated: the field "at" is of the wrong type') as string,
  })
  expect(appends).toBe(0)
})
