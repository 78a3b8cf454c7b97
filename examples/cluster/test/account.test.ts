import type { TaskHandle, TaskId, TaskManager } from '@taskledger/core'
import { createTaskManager, defineTask, silentLogger } from '@taskledger/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { accountFor, isAllWell, summaryOf } from '../src/run/account.ts'

const fine = defineTask({ type: 'fine', run: () => 'done' })
const bad = defineTask({ type: 'bad', run: () => Promise.reject(new Error('on purpose')) })
const stuck = defineTask({
  type: 'stuck',
  queue: 'without-a-worker',
  run: () => 'never',
})

let manager: TaskManager

beforeEach(async () => {
  const worker = { queues: { default: { slots: 4 } } }
  manager = await createTaskManager({ tasks: [fine, bad, stuck], worker, logger: silentLogger })
  return () => manager.close()
})

const ended = async (...handles: readonly TaskHandle<unknown, unknown>[]): Promise<readonly TaskId[]> => {
  await Promise.all(handles.map((handle) => handle.finished()))
  return handles.map(({ id }) => id)
}

const { signal } = new AbortController()

describe('the account of a run', () => {
  it('counts the ends, and finds no violation if all is well', async () => {
    const waiting = await manager.submit(stuck)
    await waiting.cancel()
    const taskIds = await ended(await manager.submit(fine), await manager.submit(fine), waiting)
    const account = await accountFor(manager, taskIds, { signal })
    expect(account).toEqual({
      submitted: 3,
      byStatus: new Map([
        ['completed', 2],
        ['cancelled', 1],
      ]),
      violations: [],
    })
    expect(isAllWell(account)).toBe(true)
    expect(summaryOf({ account, processes: 4, elapsedMs: 4_210, isWaitedFor: true })).toBe(
      'cluster: 3 submitted, 2 completed, 1 cancelled, 0 lost, 4 processes, 4.2 s',
    )
  })

  it('reports failed tasks, and unfinished tasks after a wait', async () => {
    const taskIds = [...(await ended(await manager.submit(bad))), (await manager.submit(stuck)).id]
    const account = await accountFor(manager, taskIds, { signal })
    expect(isAllWell(account)).toBe(false)
    const sums = { account, processes: 1, elapsedMs: 0 }
    expect(summaryOf({ ...sums, isWaitedFor: true })).toContain('0 completed, 0 cancelled, 1 failed, 1 lost, 1 process,')
    expect(summaryOf({ ...sums, isWaitedFor: false })).toContain('0 completed, 0 cancelled, 1 failed, 1 not finished, 0 lost,')
  })

  it('compares the list with the histories, after the list had some time', async () => {
    const [completed] = await ended(await manager.submit(fine))
    const unlisted = await manager.submit(stuck)
    const lying = Object.assign(Object.create(manager) as TaskManager, {
      history: (id: string) => manager.history(id),
      list: async () => {
        const { tasks } = await manager.list()
        const stranger = { ...tasks[0], taskId: 'a-stranger' }
        return { tasks: [...tasks.filter(({ taskId }) => taskId === completed).map((task) => ({ ...task, result: 'other' })), stranger] }
      },
    })
    const { violations } = await accountFor(lying, [completed ?? unlisted.id, unlisted.id], { signal, maxLagMs: 200 })
    expect(violations).toEqual([
      `task ${completed} is completed at version 3, but its row differs: completed at version 3`,
      `task ${unlisted.id} is waiting, but not in the list`,
      'the list has a task a-stranger that was not submitted',
    ])
  })
})
