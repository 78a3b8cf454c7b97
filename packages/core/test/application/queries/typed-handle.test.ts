import type { TaskManager } from '@taskledger/core'
import { createTaskManager, declareTask, defineTask, silentLogger, taskIdOfKey, unchecked, UnknownTaskVersion } from '@taskledger/core'
import { createMemory } from '@taskledger/memory'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'

const open: TaskManager[] = []
afterEach(async () => {
  for (const manager of open.splice(0)) await manager.close({ drainMs: 0 })
})

const report = defineTask({
  type: 'report',
  payload: z.object({ month: z.string(), pages: z.coerce.number().default(1) }),
  run: () => 'a report',
})
const payout = declareTask({ type: 'payout', payload: unchecked<{ cents: number }>() })

const managerOf = async (storage = createMemory({ logger: silentLogger }).storage()): Promise<TaskManager> => {
  const manager = await createTaskManager({ tasks: [report, payout], worker: false, logger: silentLogger, storage })
  open.push(manager)
  return manager
}

describe('a handle of another type', () => {
  it('refuses every call, names both types, and writes nothing', async () => {
    const manager = await managerOf()
    const { id } = await manager.submit(payout, { cents: 100 })
    const handle = manager.task(report, id)
    const mismatch = { code: 'TYPE_MISMATCH', taskId: id, expectedType: 'report', actualType: 'payout' }
    await expect(handle.details()).rejects.toMatchObject(mismatch)
    await expect(handle.result()).rejects.toMatchObject(mismatch)
    await expect(handle.finished({ timeoutMs: 60_000 })).rejects.toMatchObject(mismatch)
    await expect(handle.progress()).rejects.toMatchObject(mismatch)
    await expect(handle.payload()).rejects.toMatchObject(mismatch)
    await expect(handle.history()).rejects.toMatchObject(mismatch)
    await expect(handle.watch().next()).rejects.toMatchObject(mismatch)
    await expect(handle.cancel()).rejects.toMatchObject(mismatch)
    expect((await manager.history(id)).map(({ type }) => type)).toEqual(['TaskCreated'])
  })

  it('does not matter if the handle names no type', async () => {
    const manager = await managerOf()
    const { id } = await manager.submit(payout, { cents: 100 })
    expect(await manager.task(id).cancel()).toMatchObject({ outcome: 'cancelled', details: { type: 'payout' } })
    expect(await manager.task(payout, id).cancel()).toMatchObject({ outcome: 'cancelled' })
  })

  it('is TASK_NOT_FOUND if there is no task', async () => {
    const manager = await managerOf()
    await expect(manager.task(report, taskIdOfKey('payout', 'none')).cancel()).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' })
  })
})

describe('the payload of a handle', () => {
  it('is what was submitted, and not what the schema makes of it', async () => {
    const manager = await managerOf()
    const task = await manager.submit(report, { month: '2024-02' })
    expect(await task.payload()).toEqual({ month: '2024-02' })
    expect(await manager.task(report, task.id).payload()).toEqual({ month: '2024-02' })
  })

  it('is read with a declaration alone, and as it is stored without one', async () => {
    const manager = await managerOf()
    const { id } = await manager.submit(payout, { cents: 100 })
    expect(await manager.task(payout, id).payload()).toEqual({ cents: 100 })
    expect(await manager.task(id).payload()).toEqual({ cents: 100 })
  })

  it('of a task that takes none is undefined, and stored as null', async () => {
    const tidy = defineTask({ type: 'tidy', run: () => {} })
    const manager = await createTaskManager({ tasks: [tidy], worker: false, logger: silentLogger })
    open.push(manager)
    const { id } = await manager.submit(tidy)
    expect(await manager.task(tidy, id).payload()).toBeUndefined()
    expect(await manager.task(id).payload()).toBeNull()
  })

  it('of an older version is brought to the version of the definition', async () => {
    const manager = await managerOf()
    const { id } = await manager.submit(payout, { cents: 100 })
    const later = declareTask({
      type: 'payout',
      version: 2,
      payload: z.object({ amount: z.number() }),
      upcast: { 1: ({ cents }: { cents: number }) => ({ amount: cents / 100 }) },
    })
    expect(await manager.task(later, id).payload()).toEqual({ amount: 1 })
    const gap = declareTask({ type: 'payout', version: 3, payload: z.object({ amount: z.number() }) })
    await expect(manager.task(gap, id).payload()).rejects.toThrow(UnknownTaskVersion)
    const strict = declareTask({ type: 'payout', payload: z.object({ cents: z.string() }) })
    await expect(manager.task(strict, id).payload()).rejects.toMatchObject({ code: 'INVALID_PAYLOAD' })
  })
})
