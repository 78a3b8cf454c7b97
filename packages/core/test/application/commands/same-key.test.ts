import { createTaskManager, declareTask, defaultRetryPolicy, defineTask, silentLogger, unchecked } from '@taskledger/core'
import type { TaskDeclaration, TaskDefinition, TaskManager } from '@taskledger/core'
import type { Memory } from '@taskledger/memory'
import { createMemory } from '@taskledger/memory'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let memory: Memory
const open: TaskManager[] = []
beforeEach(() => void (memory = createMemory({ logger: silentLogger })))
afterEach(async () => {
  for (const manager of open.splice(0)) await manager.close({ drainMs: 0 })
})

/** A node of one cluster. */
const node = async (task: TaskDeclaration): Promise<TaskManager> => {
  const adapters = { storage: memory.storage(), messaging: memory.messaging() }
  const manager = await createTaskManager({ tasks: [task], worker: false, logger: silentLogger, ...adapters })
  open.push(manager)
  return manager
}

const key = { idempotencyKey: 'order-17' }

describe('a submit', () => {
  const echo = defineTask({ type: 'echo', payload: unchecked<unknown>(), run: ({ payload }) => payload })

  it('says that it created the task, and a second one under the same key says that it did not', async () => {
    const [a, b] = [await node(echo), await node(echo)]
    const first = await a.submit(echo, 1, key)
    const second = await b.submit(echo, 1, key)
    expect([first.isNew, second.isNew, second.id]).toEqual([true, false, first.id])
    expect((await a.submit(echo, 1)).isNew).toBe(true)
  })

  it('of many says of each that it is new', async () => {
    const manager = await node(echo)
    expect((await manager.submitMany(echo, [1, 2, 3])).map(({ isNew }) => isNew)).toEqual([true, true, true])
  })

  it('under the key of a task that failed says that it is not new, and may run it again under a key of its own', async () => {
    const failing = defineTask({
      type: 'failing',
      run: () => {
        throw new Error('no paper')
      },
    })
    const manager = await createTaskManager({
      tasks: [failing],
      logger: silentLogger,
      storage: memory.storage(),
      messaging: memory.messaging(),
    })
    open.push(manager)
    const first = await manager.submit(failing, undefined, key)
    await first.finished()
    const second = await manager.submit(failing, undefined, key)
    expect([second.isNew, second.id, (await second.details()).status]).toEqual([false, first.id, 'failed'])
    const again = await manager.submit(failing, undefined, { idempotencyKey: 'order-17 again', retryOf: first.id })
    expect([again.isNew, (await again.finished()).retryOf]).toEqual([true, first.id])
  })
})

describe('the same key with another version of the type', () => {
  const type = 'reindex'
  const one = declareTask({ type, payload: unchecked<{ name: string }>() })
  const two = declareTask({
    type,
    version: 2,
    payload: unchecked<{ mailbox: string; folders?: readonly string[] }>(),
    upcast: { 1: ({ name }: { name: string }) => ({ mailbox: name }) },
  })

  it('gives the task if the payload is the same after its upcast', async () => {
    const first = await (await node(one)).submit(one, { name: 'ada' }, key)
    const second = await (await node(two)).submit(two, { mailbox: 'ada' }, key)
    expect([second.id, second.isNew]).toEqual([first.id, false])
  })

  it('refuses another payload', async () => {
    const first = await (await node(one)).submit(one, { name: 'ada' }, key)
    await expect((await node(two)).submit(two, { mailbox: 'bob' }, key)).rejects.toMatchObject({
      code: 'IDEMPOTENCY_MISMATCH',
      taskId: first.id,
    })
  })

  it('refuses what it cannot compare: a version that this node does not know, or an upcast that throws', async () => {
    await (await node(two)).submit(two, { mailbox: 'ada' }, key)
    await expect((await node(one)).submit(one, { name: 'ada' }, key)).rejects.toMatchObject({
      code: 'IDEMPOTENCY_MISMATCH',
      cause: expect.objectContaining({ code: 'UNKNOWN_TASK_VERSION' }) as Error,
    })
    const three = declareTask({
      type,
      version: 3,
      payload: unchecked<unknown>(),
      upcast: {
        2: () => {
          throw new Error('no way')
        },
      },
    })
    await expect((await node(three)).submit(three, { mailbox: 'ada' }, key)).rejects.toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' })
  })

  it('compares the payloads of a hand-written factory by what its decode shows', async () => {
    const factory = (version: number): TaskDefinition<number, number> => ({
      type,
      version,
      queue: 'default',
      retry: defaultRetryPolicy,
      encode: async (payload) => (version === 1 ? (payload as number) : { size: payload as number }),
      decode: async (stored, payload) => ({
        payload: stored === 1 ? payload : (payload as { size: number }).size,
        run: async () => 1,
      }),
    })
    const [old, young] = [factory(1), factory(2)]
    const first = await (await node(old)).submit(old, 7, key)
    const manager = await node(young)
    expect((await manager.submit(young, 7, key)).id).toBe(first.id)
    await expect(manager.submit(young, 8, key)).rejects.toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' })
  })
})
