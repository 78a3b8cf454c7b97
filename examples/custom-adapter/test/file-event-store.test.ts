import { rm } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { created, taskIdOf } from './samples.ts'
import { testFolder } from './test-folder.ts'

test('close waits for what is under way', async () => {
  const { openStore } = await testFolder()
  const [one, other] = await Promise.all([openStore(), openStore()])
  let appended = false
  const append = one.append(taskIdOf(1), 0, [created(taskIdOf(1), 'e1')]).then(() => (appended = true))
  await one.close()
  expect(appended).toBe(true)
  await append
  await one.close()
  await expect(one.read(taskIdOf(1))).rejects.toMatchObject({ code: 'CLOSED' })
  expect(await other.read(taskIdOf(1))).toHaveLength(1)
})

test('an abort ends the wait', async () => {
  const { openStore } = await testFolder()
  const store = await openStore()
  const reason = new Error('no longer needed')
  const controller = new AbortController()
  const append = store.append(taskIdOf(1), 0, [created(taskIdOf(1), 'e1')], { signal: controller.signal })
  controller.abort(reason)
  await expect(append).rejects.toBe(reason)
})

test('a disk that fails leaves the outcome unknown', async () => {
  const { openStore, folder } = await testFolder()
  const store = await openStore()
  await rm(folder, { recursive: true })
  await expect(store.append(taskIdOf(1), 0, [created(taskIdOf(1), 'e1')])).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
})
