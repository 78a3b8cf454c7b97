import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { TaskId } from '@taskledger/core/ports'
import { expect, onTestFinished, test } from 'vitest'
import { created, started, taskIdOf } from './samples.ts'
import { testFolder } from './test-folder.ts'

interface Writer {
  readonly process: ChildProcess
  /** The ids of the events that were acknowledged to it. */
  readonly acknowledged: string[]
}

interface Work {
  readonly folder: string
  readonly taskIds: readonly TaskId[]
  readonly events: number
  readonly payloadLength: number
}

const startWriter = async (name: string, { folder, taskIds, events, payloadLength }: Work): Promise<Writer> => {
  const program = fileURLToPath(new URL('writer.ts', import.meta.url))
  const process = fork(program, [folder, name, taskIds.join(), String(events), String(payloadLength)], { execArgv: [] })
  onTestFinished(() => void process.kill('SIGKILL'))
  await once(process, 'message')
  const acknowledged: string[] = []
  process.on('message', (eventId) => {
    if (typeof eventId === 'string') acknowledged.push(eventId)
  })
  return { process, acknowledged }
}

test('of writers in several processes one wins each version, and only that one is acknowledged', async () => {
  const { folder, openStore } = await testFolder()
  const work = { folder, taskIds: [1, 2, 3, 4, 5].map(taskIdOf), events: 11, payloadLength: 10 }
  const writers = await Promise.all(['a', 'b', 'c'].map((name) => startWriter(name, work)))
  const ends = writers.map(({ process }) => once(process, 'exit'))
  for (const { process } of writers) process.send('go')
  expect(await Promise.all(ends)).toEqual(writers.map(() => [0, null]))

  const store = await openStore()
  const histories = await Promise.all(work.taskIds.map((taskId) => store.read(taskId)))
  for (const history of histories) expect(history.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  const stored = histories.flat().map(({ eventId }) => eventId)
  expect(writers.flatMap(({ acknowledged }) => acknowledged).sort()).toEqual(stored.sort())
}, 60_000)

test('what was acknowledged to a process that is killed is there, and others go on where it was', async () => {
  const { folder, openStore } = await testFolder()
  const store = await openStore()
  // Large, so that the kill may well fall into the middle of a write.
  const work = { folder, taskIds: Array.from({ length: 2_000 }, (_, number) => taskIdOf(number)), events: 3, payloadLength: 200_000 }
  for (let round = 0; round < 5; round++) {
    const { process, acknowledged } = await startWriter(`round-${round}`, work)
    const end = once(process, 'exit')
    process.send('go')
    await expect.poll(() => acknowledged.length, { timeout: 30_000 }).toBeGreaterThan(5)
    process.kill('SIGKILL')
    expect(await end).toEqual([null, 'SIGKILL'])
    for (const eventId of acknowledged) {
      const [, taskId, version] = eventId.replace(/b$/, '').split('/')
      const history = await store.read(taskId as TaskId)
      expect(history.map((event) => event.eventId)).toContain(eventId)
      expect(history.length).toBeGreaterThanOrEqual(Number(version))
    }
  }
}, 60_000)

test('a removal in the middle of an append leaves nothing, and nothing broken', async () => {
  const { folder, openStore } = await testFolder()
  const [one, other] = await Promise.all([openStore(), openStore()])
  for (let number = 0; number < 100; number++) {
    const id = taskIdOf(number)
    await one.append(id, 0, [created(id, 'e1')])
    await Promise.allSettled([one.append(id, 1, [started(id, 2, 'e2')]), other.remove(id)])
    expect(await one.read(id)).toEqual([])
    await expect(one.append(id, 1, [started(id, 2, 'e2')])).rejects.toMatchObject({ code: 'VERSION_CONFLICT', actualVersion: 0 })
  }
  expect(await readdir(folder)).toEqual([])
}, 60_000)
