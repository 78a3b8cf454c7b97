import { randomUUID } from 'node:crypto'
import { perSecond } from '../measure/pace.ts'
import type { BareTask, LifeStore } from './bare-store.ts'

/** Makes the tasks of a new cohort. */
export const drawCohort = (size: number): readonly BareTask[] => {
  const cohort = randomUUID().slice(0, -4)
  const createdAt = Date.now()
  return Array.from({ length: size }, (_, index) => ({ cohort, task: cohort + index.toString(16).padStart(4, '0'), createdAt }))
}

/** Splits a list into parts of nearly equal size. */
const split = <T>(items: readonly T[], parts: number): readonly (readonly T[])[] =>
  Array.from({ length: parts }, (_, part) =>
    items.slice(Math.floor((part * items.length) / parts), Math.floor(((part + 1) * items.length) / parts)),
  )

let shards = 0

/**
 * The lives of one cohort in the store: events, rows and unfinished tasks. Each of several `writers` starts and completes its part of the
 * cohort in a batch of its own, at the same moment. Gives the number of lives.
 */
const liveCohort = async (store: LifeStore, size: number, writers: number): Promise<number> => {
  const tasks = drawCohort(size)
  const minute = Math.floor(Date.now() / 60_000)
  const places = { rows: `${minute}.${shards++ % 4}`, unfinished: `${minute}.${shards % 16}` }
  const parts = split(tasks, writers)
  const byAll = (one: (part: readonly BareTask[]) => Promise<void>): Promise<unknown> => Promise.all(parts.map(one))
  await store.create(tasks)
  await store.save(places, tasks, 1)
  await byAll((part) => store.append(part, 2))
  await byAll((part) => store.append(part, 3))
  await store.save(places, tasks, 3)
  return tasks.length
}

const atOnce = 64

/** Lives per second: as many cohorts at once as make 64 tasks, and at least four, since one partition is written by one queue. */
export const lives = (store: LifeStore, size: number, forMs: number, writers = 1): Promise<number> =>
  perSecond(Math.max(4, Math.ceil(atOnce / size)), forMs, () => liveCohort(store, size, writers))
