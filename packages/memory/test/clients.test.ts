import { createMemory, memoryMessaging, memoryStorage } from '@taskledger/memory'
import { expect, test } from 'vitest'
import { created, details, message, notice, taskIdOf } from './samples.ts'

test('two storage clients of one memory work on the same data', async () => {
  const memory = createMemory()
  const [one, other] = [memory.storage(), memory.storage()]
  await one.events.append(taskIdOf(1), 0, [created(1)])
  await one.listing.save(details(1))
  expect(await other.events.read(taskIdOf(1))).toEqual([created(1)])
  expect((await other.listing.list({}, { limit: 10 })).tasks).toEqual([details(1)])
})

test('closing a storage client closes its three ports and no other client', async () => {
  const memory = createMemory()
  const [one, other] = [memory.storage(), memory.storage()]
  await one.close()
  await one.close()
  await expect(one.events.read(taskIdOf(1))).rejects.toMatchObject({ code: 'CLOSED' })
  await expect(one.listing.save(details(1))).rejects.toMatchObject({ code: 'CLOSED' })
  await expect(one.listing.unfinished({ shard: 0, of: 1 })[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'CLOSED' })
  await expect(one.nodes.live()).rejects.toMatchObject({ code: 'CLOSED' })
  await other.events.append(taskIdOf(1), 0, [created(1)])
  expect(await other.events.read(taskIdOf(1))).toHaveLength(1)
})

test('closing a messaging client closes its two ports and no other client', async () => {
  const memory = createMemory()
  const [one, other] = [memory.messaging(), memory.messaging()]
  const heard: number[] = []
  const taken: string[] = []
  one.bus.subscribe(() => heard.push(1))
  other.bus.subscribe(() => heard.push(2))
  await other.queue.consume('default', async (delivery) => void taken.push(delivery.message.taskId), { slots: 1, mode: 'parallel' })
  await one.close()
  await expect(one.queue.send('default', message(1))).rejects.toMatchObject({ code: 'CLOSED' })
  await expect(one.bus.publish([notice(1)])).rejects.toMatchObject({ code: 'CLOSED' })
  expect(() => one.bus.subscribe(() => {})).toThrow(expect.objectContaining({ code: 'CLOSED' }))
  await other.bus.publish([notice(1)])
  await other.queue.send('default', message(1))
  await expect.poll(() => [heard, taken]).toEqual([[2], [taskIdOf(1)]])
  await other.close()
})

test('an aborted signal rejects with its reason, and the call changes nothing', async () => {
  const { events, listing } = createMemory().storage()
  const reason = new Error('no longer needed')
  const signal = AbortSignal.abort(reason)
  await expect(events.append(taskIdOf(1), 0, [created(1)], { signal })).rejects.toBe(reason)
  await expect(listing.unfinished({ shard: 0, of: 1 }, { signal })[Symbol.asyncIterator]().next()).rejects.toBe(reason)
  expect(await events.read(taskIdOf(1))).toEqual([])
})

test('each client of memoryStorage and memoryMessaging has data of its own', async () => {
  const [one, other] = [memoryStorage(), memoryStorage()]
  await one.events.append(taskIdOf(1), 0, [created(1)])
  expect(await other.events.read(taskIdOf(1))).toEqual([])
  const heard: unknown[] = []
  const [sender, listener] = [memoryMessaging(), memoryMessaging()]
  sender.bus.subscribe((it) => heard.push(it))
  listener.bus.subscribe(() => heard.push('from elsewhere'))
  await sender.bus.publish([notice(1)])
  await expect.poll(() => heard.length).toBeGreaterThan(0)
  expect(heard).toEqual([notice(1)])
})

test('kill refuses a client of another memory', () => {
  expect(() => createMemory().faults.kill(memoryMessaging())).toThrow(TypeError)
})
