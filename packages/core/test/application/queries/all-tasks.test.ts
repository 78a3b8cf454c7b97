import type { TaskDetails, TaskManager } from '@taskledger/core'
import { createTaskManager, declareTask, unchecked } from '@taskledger/core'
import { createMemory } from '@taskledger/memory'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const numbered = declareTask({ type: 'numbered', payload: unchecked<number>() })
const other = declareTask({ type: 'other' })

let manager: TaskManager
let pagesRead: number

beforeEach(async () => {
  const memory = createMemory()
  const storage = memory.storage()
  pagesRead = 0
  const listing = new Proxy(storage.listing, {
    get(target, name) {
      if (name === 'list') pagesRead++
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  manager = await createTaskManager({ tasks: [numbered, other], storage: { ...storage, listing, close: () => storage.close() } })
})

afterEach(() => manager.close())

const submitNumbers = (count: number): Promise<unknown> =>
  manager.submitMany(
    numbered,
    Array.from({ length: count }, (_, index) => index),
  )

const collected = async (tasks: AsyncIterable<TaskDetails>): Promise<readonly TaskDetails[]> => {
  const all: TaskDetails[] = []
  for await (const task of tasks) all.push(task)
  return all
}

describe('all tasks', () => {
  it('come from every page, each once, the newest first', async () => {
    await submitNumbers(450)
    const createdAt: number[] = []
    const ids = new Set<string>()
    for await (const task of manager.tasks()) {
      createdAt.push(task.createdAt)
      ids.add(task.taskId)
    }
    expect(ids.size).toBe(450)
    expect(createdAt).toEqual(createdAt.toSorted((a, b) => b - a))
    expect(pagesRead).toBe(3)
  })

  it('are those that match the query', async () => {
    await submitNumbers(3)
    const { id } = await manager.submit(other)
    const found = await collected(manager.tasks({ type: 'other', status: 'waiting' }))
    expect(found.map(({ taskId }) => taskId)).toEqual([id])
    expect(await collected(manager.tasks({ status: [] }))).toEqual([])
  })

  it('are not read further than they are consumed', async () => {
    await submitNumbers(450)
    expect(pagesRead).toBe(0)
    for await (const _ of manager.tasks()) break
    expect(pagesRead).toBe(1)
  })

  it('end with the reason of the signal, also between two tasks of one page', async () => {
    await submitNumbers(3)
    const controller = new AbortController()
    const reason = new Error('seen enough')
    const seen: number[] = []
    const walk = async (): Promise<void> => {
      for await (const { version } of manager.tasks({ signal: controller.signal })) {
        seen.push(version)
        controller.abort(reason)
      }
    }
    await expect(walk()).rejects.toBe(reason)
    expect(seen).toHaveLength(1)
  })

  it('cannot be read with a wrong query, or from a closed manager', async () => {
    await expect(manager.tasks({ since: Number.NaN }).next()).rejects.toMatchObject({ code: 'MISUSE' })
    await manager.close()
    await expect(manager.tasks().next()).rejects.toMatchObject({ code: 'CLOSED' })
  })
})
