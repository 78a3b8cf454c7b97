import type { TaskNotice } from '@taskledger/core/ports'
import { silentLogger } from '@taskledger/core/ports'
import { createMemory } from '@taskledger/memory'
import { expect, test, vi } from 'vitest'
import { notice, taskIdOf } from '../samples.ts'

test('a listener is not called inside publish, and a later subscription does not get the notice', async () => {
  const { bus } = createMemory().messaging()
  const early: TaskNotice[] = []
  const late: TaskNotice[] = []
  bus.subscribe((it) => early.push(it))
  const published = bus.publish([notice(1), notice(2)])
  expect(early).toEqual([])
  bus.subscribe((it) => late.push(it))
  await published
  await bus.publish([notice(3)])
  await expect.poll(() => early.map(({ taskId }) => taskId)).toEqual([1, 2, 3].map(taskIdOf))
  expect(late).toEqual([notice(3)])
})

test('a listener that unsubscribes before the notice arrives does not get it', async () => {
  const { bus } = createMemory().messaging()
  const gone: TaskNotice[] = []
  const stays: TaskNotice[] = []
  const unsubscribe = bus.subscribe((it) => gone.push(it))
  bus.subscribe((it) => stays.push(it))
  const published = bus.publish([notice(1)])
  unsubscribe()
  unsubscribe()
  await published
  await expect.poll(() => stays).toEqual([notice(1)])
  expect(gone).toEqual([])
})

test('a function that is subscribed twice is called twice, and each subscription ends alone', async () => {
  const { bus } = createMemory().messaging()
  const listener = vi.fn<(notice: TaskNotice) => void>()
  const end = bus.subscribe(listener)
  bus.subscribe(listener)
  await bus.publish([notice(1)])
  await expect.poll(() => listener.mock.calls.length).toBe(2)
  end()
  await bus.publish([notice(2)])
  await expect.poll(() => listener.mock.calls.length).toBe(3)
})

test('a listener that throws is logged and does not stop other listeners, which do not see its changes to the notice', async () => {
  const error = vi.fn<(fields: object, message: string) => void>()
  const memory = createMemory({ logger: { ...silentLogger, error } })
  const heard: TaskNotice[] = []
  const problem = new Error('a careless listener')
  memory.messaging().bus.subscribe((it) => {
    ;(it as { node: string }).node = 'changed'
    throw problem
  })
  memory.messaging().bus.subscribe((it) => heard.push(it))
  await memory.messaging().bus.publish([notice(1)])
  await expect.poll(() => heard).toEqual([notice(1)])
  expect(error).toHaveBeenCalledExactlyOnceWith({ err: problem }, expect.any(String))
})

test('text that cannot be decoded is skipped and logged', async () => {
  const warn = vi.fn<(fields: object, message: string) => void>()
  const memory = createMemory({ logger: { ...silentLogger, warn } })
  const heard: TaskNotice[] = []
  const { bus } = memory.messaging()
  bus.subscribe((it) => heard.push(it))
  memory.faults.injectNotice('{"v":1}')
  await bus.publish([notice(1)])
  await expect.poll(() => heard).toEqual([notice(1)])
  expect(warn).toHaveBeenCalledTimes(1)
})

test('a gap notifies every open client, once', async () => {
  const memory = createMemory()
  const [one, other, closed] = [memory.messaging(), memory.messaging(), memory.messaging()]
  const heard: string[] = []
  one.bus.onGap(() => heard.push('one'))
  other.bus.onGap(() => heard.push('other'))
  closed.bus.onGap(() => heard.push('closed'))
  await closed.close()
  memory.faults.gap()
  await expect.poll(() => heard).toEqual(['one', 'other'])
})

test('ended subscriptions and closed clients leave no listeners behind', async () => {
  const memory = createMemory()
  const [one, other] = [memory.messaging(), memory.messaging()]
  const end = one.bus.subscribe(() => {})
  other.bus.subscribe(() => {})
  other.bus.onGap(() => {})
  expect(memory.inspect().listeners).toBe(3)
  end()
  await other.close()
  expect(memory.inspect().listeners).toBe(0)
})
