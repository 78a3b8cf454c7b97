import { createMemory } from '@taskledger/memory'
import { expect, test } from 'vitest'
import { created, started, taskIdOf } from '../samples.ts'

const id = taskIdOf(1)

test('later changes by the caller or by a reader to their values do not change the history', async () => {
  const { events } = createMemory().storage()
  const labels = ['nightly']
  await events.append(id, 0, [{ ...created(1), labels }])
  labels.push('changed')
  const [seen] = await events.read(id)
  ;(seen as { node: string }).node = 'changed'
  expect(await events.read(id)).toEqual([created(1)])
})

test('an append that is repeated after the history has grown succeeds and adds nothing', async () => {
  const { events } = createMemory().storage()
  await events.append(id, 0, [created(1)])
  await events.append(id, 1, [started(1)])
  await events.append(id, 0, [created(1)])
  expect(await events.read(id)).toEqual([created(1), started(1)])
})

test('a batch of which only the first event is stored is a conflict, not a repeat', async () => {
  const { events } = createMemory().storage()
  await events.append(id, 0, [created(1), started(1)])
  const conflict = { code: 'VERSION_CONFLICT', expectedVersion: 0, actualVersion: 2 }
  await expect(events.append(id, 0, [created(1), started(1, 'another')])).rejects.toMatchObject(conflict)
  await expect(events.append(id, 0, [created(1), started(1), { ...started(1, 'one more'), version: 3 }])).rejects.toMatchObject(conflict)
  expect(await events.read(id)).toHaveLength(2)
})

test('an append at an old version after a removal is a conflict with version 0', async () => {
  const { events } = createMemory().storage()
  await events.append(id, 0, [created(1)])
  await events.remove(id)
  await expect(events.append(id, 1, [started(1)])).rejects.toMatchObject({ code: 'VERSION_CONFLICT', actualVersion: 0 })
  expect(await events.read(id)).toEqual([])
})

test('an event that cannot be decoded rejects the read and stays in the history', async () => {
  const memory = createMemory()
  const { events } = memory.storage()
  await events.append(id, 0, [created(1)])
  memory.faults.injectEvent(id, JSON.stringify({ ...started(1), v: 1, type: 'TaskTeleported' }))
  await expect(events.read(id)).rejects.toMatchObject({ code: 'UNKNOWN_EVENT_TYPE', eventType: 'TaskTeleported' })
  await expect(events.append(id, 1, [started(1)])).rejects.toMatchObject({ code: 'VERSION_CONFLICT', actualVersion: 2 })
})
