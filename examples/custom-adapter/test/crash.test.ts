import { appendFile, readFile, truncate, writeFile } from 'node:fs/promises'
import { encodeEvent } from '@taskledger/core/codec'
import { expect, test } from 'vitest'
import { lineOf } from '../src/history-file.ts'
import { created, released, started, taskIdOf } from './samples.ts'
import { testFolder } from './test-folder.ts'

const id = taskIdOf(1)
const first = created(id, 'e1')
const pair = [started(id, 2, 'e2'), released(id, 3, 'e3')]
const pairLine = Buffer.from(lineOf(1, pair.map(encodeEvent)))
/** Without its last line break it says everything. */
const whole = pairLine.length - 1

test('wherever a crash cuts an append off, all of it is there or nothing, and the next writer goes on', async () => {
  const { openStore, fileOf } = await testFolder()
  const store = await openStore()
  await store.append(id, 0, [first])
  const before = await readFile(fileOf(id))
  for (let cut = 0; cut < whole; cut++) {
    await writeFile(fileOf(id), Buffer.concat([before, pairLine.subarray(0, cut)]))
    expect(await store.read(id), `cut after ${cut} bytes`).toEqual([first])
  }
  for (const cut of [0, 1, 9, 12, Math.floor(whole / 2), whole - 1, whole]) {
    await writeFile(fileOf(id), Buffer.concat([before, pairLine.subarray(0, cut)]))
    await store.append(id, 1, pair)
    expect(await store.read(id), `cut after ${cut} bytes, then appended`).toEqual([first, ...pair])
  }
  await writeFile(fileOf(id), Buffer.concat([before, pairLine.subarray(0, whole)]))
  expect(await store.read(id), 'not cut').toEqual([first, ...pair])
})

test('a first append that was cut off left no task', async () => {
  const { openStore, fileOf } = await testFolder()
  const store = await openStore()
  await store.append(id, 0, [first])
  await truncate(fileOf(id), 20)
  expect(await store.read(id)).toEqual([])
  await expect(store.append(id, 1, pair)).rejects.toMatchObject({ code: 'VERSION_CONFLICT', actualVersion: 0 })
  await store.append(id, 0, [first])
  expect(await store.read(id)).toEqual([first])
})

test('blocks that a power failure left empty count for nothing', async () => {
  const { openStore, fileOf } = await testFolder()
  const store = await openStore()
  await store.append(id, 0, [first])
  await appendFile(fileOf(id), Buffer.alloc(4_096))
  expect(await store.read(id)).toEqual([first])
  await store.append(id, 1, pair)
  expect(await store.read(id)).toEqual([first, ...pair])
})

test('damage before the end is reported, and nothing is built on it', async () => {
  const { openStore, fileOf } = await testFolder()
  const store = await openStore()
  await store.append(id, 0, [first])
  await store.append(id, 1, pair)
  const damaged = (await readFile(fileOf(id), 'utf8')).replace('reindex', 'reindeX')
  await writeFile(fileOf(id), damaged)
  await expect(store.read(id)).rejects.toMatchObject({ code: 'MALFORMED' })
  await expect(store.append(id, 0, [created(id, 'another')])).rejects.toMatchObject({ code: 'MALFORMED' })
  expect(await readFile(fileOf(id), 'utf8')).toBe(damaged)
})

test('an event of a newer release is kept, named, and recognised when its append is repeated', async () => {
  const { openStore, fileOf } = await testFolder()
  const store = await openStore()
  await store.append(id, 0, [first])
  const newer = { ...started(id, 2, 'e2'), type: 'TaskTeleported' }
  await appendFile(fileOf(id), lineOf(1, [JSON.stringify({ v: 1, ...newer })]))
  await expect(store.read(id)).rejects.toMatchObject({ code: 'UNKNOWN_EVENT_TYPE', eventType: 'TaskTeleported' })
  await expect(store.append(id, 1, pair)).rejects.toMatchObject({ code: 'VERSION_CONFLICT', actualVersion: 2 })
  await store.append(id, 1, [started(id, 2, 'e2')])
})

test('a line that came second stays without effect', async () => {
  const { openStore, fileOf } = await testFolder()
  const store = await openStore()
  await store.append(id, 0, [first])
  await store.append(id, 1, pair)
  await appendFile(fileOf(id), lineOf(1, [encodeEvent(started(id, 2, 'late'))]))
  expect(await store.read(id)).toEqual([first, ...pair])
  await expect(store.append(id, 1, [started(id, 2, 'late')])).rejects.toMatchObject({ code: 'VERSION_CONFLICT', actualVersion: 3 })
})
