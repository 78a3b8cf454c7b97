import type { TaskledgerError, TaskManagerOptions } from '@taskledger/core'
import { createTaskManager, defineTask, silentLogger, unchecked } from '@taskledger/core'
import type { TaskMessaging, TaskStorage } from '@taskledger/core/ports'
import { misconfigured } from '@taskledger/core/ports'
import { virtualClock } from '@taskledger/core/testing'
import { createMemory } from '@taskledger/memory'
import { interceptedMessaging, interceptedStorage, onCalls } from '@taskledger/test-kit/faults'
import { beforeEach, describe, expect, it } from 'vitest'

const double = defineTask({ type: 'double', payload: unchecked<number>(), run: ({ payload }) => payload * 2 })

let closed: string[]
let storage: TaskStorage
let messaging: TaskMessaging

const noted = <Bundle extends TaskStorage | TaskMessaging>(bundle: Bundle, name: string): Bundle => ({
  ...bundle,
  close: async () => {
    closed.push(name)
    await bundle.close()
  },
})

const create = (options: Partial<TaskManagerOptions>): ReturnType<typeof createTaskManager> =>
  createTaskManager({ tasks: [double], logger: silentLogger, ...options })

const refused = (message: string): TaskledgerError => misconfigured(message)

const open = (): void => {
  const memory = createMemory({ logger: silentLogger })
  closed = []
  storage = noted(memory.storage(), 'storage')
  messaging = noted(memory.messaging(), 'messaging')
}

beforeEach(open)

describe('the storage and messaging of a manager', () => {
  it('may be still opening', async () => {
    const manager = await create({ storage: Promise.resolve(storage), messaging: Promise.resolve(messaging) })
    expect(await (await manager.submit(double, 21)).result()).toBe(42)
    await manager.close()
    expect(closed.sort()).toEqual(['messaging', 'storage'])
  })

  it.each<[string, Partial<TaskManagerOptions>]>([
    ['an option that makes no sense', { name: '' }],
    ['tasks that cannot be', { tasks: [double, defineTask({ type: 'double', run: () => {} })] }],
    ['a worker that makes no sense', { worker: { slots: 0 } }],
  ])('are closed if the manager is refused: %s', async (_what, options) => {
    await expect(create({ storage, messaging, ...options })).rejects.toThrow(TypeError)
    expect(closed.sort()).toEqual(['messaging', 'storage'])
  })

  it('are closed after they have opened, if the manager was refused meanwhile', async () => {
    await expect(create({ storage: Promise.resolve(storage), messaging: Promise.resolve(messaging), name: '' })).rejects.toThrow(TypeError)
    expect(closed.sort()).toEqual(['messaging', 'storage'])
  })

  it('are refused if what was opened is neither', async () => {
    const logged: string[] = []
    const logger = { ...silentLogger, warn: (_fields: object, message: string): void => void logged.push(message) }
    const nothing = Promise.resolve({}) as unknown as Promise<never>
    await expect(create({ storage: nothing, messaging, logger })).rejects.toMatchObject({
      code: 'MISUSE',
      message: 'the promised storage is an object: give what an adapter returns: cassandraStorage({ … })',
    })
    await expect(create({ storage, messaging: Promise.resolve(undefined) as never, logger })).rejects.toThrow(
      'the promised messaging is undefined',
    )
    expect(closed.sort()).toEqual(['messaging', 'storage'])
    expect(logged).toEqual([])
  })

  it('are closed if the worker cannot start', async () => {
    const withoutQueue = onCalls({ 'queue.consume': () => Promise.reject(refused('no such queue')) })
    await expect(create({ storage, messaging: interceptedMessaging(messaging, withoutQueue) })).rejects.toThrow('no such queue')
    expect(closed.sort()).toEqual(['messaging', 'storage'])
  })

  it('are closed if the other one cannot be opened, and the first error is thrown', async () => {
    await expect(create({ storage, messaging: Promise.reject(refused('the password is wrong')) })).rejects.toThrow('the password is wrong')
    expect(closed).toEqual(['storage'])

    const later = new Promise<TaskMessaging>((resolve) => setImmediate(() => resolve(messaging)))
    await expect(create({ storage: Promise.reject(refused('no schema')), messaging: later })).rejects.toThrow('no schema')
    expect(closed).toEqual(['storage', 'messaging'])

    const both = { storage: Promise.reject(refused('first')), messaging: Promise.reject(refused('second')) }
    await expect(create(both)).rejects.toThrow('first')
  })

  it('report the first error even if the other one cannot be closed', async () => {
    const warned: string[] = []
    const stuck: TaskStorage = { ...storage, close: () => Promise.reject(new Error('it does not close')) }
    const logger = { ...silentLogger, warn: (_fields: object, message: string): void => void warned.push(message) }
    await expect(create({ storage: stuck, messaging: Promise.reject(refused('no such user')), logger })).rejects.toThrow('no such user')
    expect(warned).toEqual(['failed to close storage or messaging'])
  })
})

describe('a manager whose client was closed under it', () => {
  it('closes, and its awaits end', async () => {
    const clock = virtualClock()
    const manager = await createTaskManager({ tasks: [double], storage, messaging, worker: false, clock, logger: silentLogger })
    const awaited = (await manager.submit(double, 21)).result().catch((error: unknown) => error)
    await storage.close()
    await messaging.close()
    const closing = manager.close()
    await clock.advance(60_000)
    await closing
    expect(await awaited).toMatchObject({ code: 'CLOSED' })
  })
})

describe('a manager with only storage or only messaging', () => {
  const warnings = async (options: () => Partial<TaskManagerOptions>): Promise<readonly string[]> => {
    open()
    const warned: string[] = []
    const logger = { ...silentLogger, warn: (_fields: object, message: string): void => void warned.push(message) }
    await (await create({ ...options(), logger })).close()
    return warned
  }

  const unchanged = onCalls({})
  const lasting = (): TaskStorage => {
    const { events, ...rest } = interceptedStorage(storage, unchanged)
    return { ...rest, events: { ...events, capabilities: { durability: 'restart' } } }
  }
  const reaching = (): TaskMessaging => {
    const { bus, ...rest } = interceptedMessaging(messaging, unchanged)
    return { ...rest, bus: { ...bus, capabilities: { crossesProcesses: true } } }
  }

  it('warns if the given one crosses processes, because the other does not', async () => {
    expect(await warnings(() => ({ storage: lasting() }))).toEqual([expect.stringContaining('messaging is in memory')])
    expect(await warnings(() => ({ messaging: reaching() }))).toEqual([expect.stringContaining('storage is in memory')])
  })

  it('does not warn if nothing crosses processes, or if both are given', async () => {
    expect(await warnings(() => ({}))).toEqual([])
    expect(await warnings(() => ({ storage }))).toEqual([])
    expect(await warnings(() => ({ messaging }))).toEqual([])
    expect(await warnings(() => ({ storage: lasting(), messaging: reaching() }))).toEqual([])
  })
})
