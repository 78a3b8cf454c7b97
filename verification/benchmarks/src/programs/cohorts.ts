import { randomUUID } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import type { TaskEvent, TaskId } from '@taskledger/core'
import type { EventStore, TaskStorage } from '@taskledger/core/ports'
import type { Program } from '../bench.ts'
import { serversOf } from '../bench.ts'
import { AdapterStore } from '../floors/adapter-store.ts'
import { BareStore } from '../floors/bare-store.ts'
import { drawCohort } from '../floors/lives.ts'
import { perSecond } from '../measure/pace.ts'
import { openStorage } from '../nodes/open-manager.ts'
import { freshPrefix } from '../nodes/prefix.ts'
import { clientOf } from '../platforms/endpoints.ts'
import type { Figure } from '../report/figures.ts'
import { median, quantile } from '../report/figures.ts'

const sizes = [1, 8, 32]
const writerCounts = [1, 2, 8]
const inFlight = 256

const historyOf = (taskId: TaskId): readonly [TaskEvent, TaskEvent, TaskEvent] => {
  const base = (version: number) => ({ taskId, version, eventId: `${taskId}.${version}`, at: Date.now(), node: 'bench' })
  const retry = { maxAttempts: 1, maxCrashes: 3, backoff: { initialMs: 1_000, factor: 2, maxMs: 60_000, jitter: 0.2 } }
  return [
    { ...base(1), type: 'TaskCreated', task: { type: 'noop', version: 1, payload: null }, queue: 'default', retry, labels: [] },
    { ...base(2), type: 'TaskStarted', attempt: 1 },
    { ...base(3), type: 'TaskCompleted', attempt: 1 },
  ]
}

const live = async (submitter: EventStore, worker: EventStore, taskId: TaskId): Promise<void> => {
  const [created, started, completed] = historyOf(taskId)
  await submitter.append(taskId, 0, [created], { isFresh: true })
  await worker.append(taskId, 1, [started])
  await worker.append(taskId, 2, [completed])
}

const drawIds = (size: number): readonly TaskId[] => {
  const cohort = randomUUID().slice(0, -4)
  return Array.from({ length: size }, (_, index) => (cohort + index.toString(16).padStart(4, '0')) as TaskId)
}

/** The times of `count` calls in milliseconds, one after the other, after as many calls to warm up. */
const oneByOne = async (count: number, one: () => Promise<unknown>): Promise<readonly number[]> => {
  const samples: number[] = []
  for (let index = -count; index < count; index++) {
    const startedAt = performance.now()
    await one()
    if (index >= 0) samples.push(performance.now() - startedAt)
  }
  return samples
}

/** The gain from sharing a partition in a cohort, through the event store itself. */
export const cohorts: Program = {
  about: 'histories of three events through the event store, by size of cohort and number of writers, and alone',
  on: ['servers'],
  async run(bench): Promise<readonly Figure[]> {
    const { scale, platform } = bench
    const prefix = freshPrefix()
    const open = (): Promise<TaskStorage> => openStorage(platform.target, prefix)
    const storages = await Promise.all(Array.from({ length: Math.max(...writerCounts) }, open))
    const client = clientOf(serversOf(bench).endpoints)
    await client.connect()
    try {
      const [first] = storages as [TaskStorage, ...TaskStorage[]]
      // Each writer has a client of its own, as a process has: its writes only meet those of others at the engine.
      const livesOf = (size: number, writers: number, forMs: number): Promise<number> =>
        perSecond(Math.max(4, Math.ceil(inFlight / size)), forMs, async () => {
          const ids = drawIds(size)
          await Promise.all(ids.map((id, index) => live(first.events, (storages[index % writers] ?? first).events, id)))
          return size
        })
      await livesOf(32, 1, 2_000 * scale)
      const figures: Figure[] = []
      let alone = Number.NaN
      for (const size of sizes)
        for (const writers of writerCounts.filter((writers) => writers === 1 || size > 1)) {
          await livesOf(size, writers, 500 * scale)
          const value = await livesOf(size, writers, 2_000 * scale)
          if (size === 1) alone = value
          figures.push({
            name: `histories, cohorts of ${size}, ${writers} ${writers === 1 ? 'writer' : 'writers'}`,
            value,
            unit: 'histories/s',
            detail: `${(value / alone).toFixed(1)} × cohorts of 1`,
          })
        }
      const cheapest = new BareStore(client)
      const same = new AdapterStore(client, freshPrefix())
      const bareLife = (store: BareStore | AdapterStore) => async (): Promise<void> => {
        const tasks = drawCohort(1)
        await store.create(tasks)
        await store.append(tasks, 2)
        await store.append(tasks, 3)
      }
      const count = Math.ceil(300 * scale)
      const lone = await oneByOne(count, () => live(first.events, first.events, drawIds(1)[0] as TaskId))
      const bare = await oneByOne(count, bareLife(same))
      const cheapestLone = await oneByOne(count, bareLife(cheapest))
      const detail = `without the check of the row before: p50 ${median(cheapestLone).toFixed(2)}`
      figures.push(
        { name: 'a lone history of three events, p50', value: median(lone), unit: 'ms', floor: median(bare), detail },
        { name: 'a lone history of three events, p99', value: quantile(lone, 0.99), unit: 'ms', floor: quantile(bare, 0.99) },
      )
      return figures
    } finally {
      await Promise.all(storages.map((storage) => storage.close()))
      await client.shutdown()
    }
  },
}
