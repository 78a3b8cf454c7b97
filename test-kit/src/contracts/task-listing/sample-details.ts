import type { TaskDetails, TaskListing, TaskStatus } from '@taskledger/core/ports'
import { taskStatuses } from '@taskledger/core/ports'
import { drawTaskId } from '../sample-data.ts'

/** 2024-02-29, so that lists cross the borders of days, months and years. */
export const leapDay: number = Date.UTC(2024, 1, 29, 12)

/** The details of a task that was just submitted, with the given changes. */
export const detailsWith = (random: () => number, given: Partial<TaskDetails> = {}): TaskDetails => ({
  taskId: drawTaskId(random),
  type: 'reindex',
  typeVersion: 1,
  status: 'waiting',
  version: 1,
  queue: 'default',
  labels: [],
  createdAt: leapDay,
  createdOn: 'front-end',
  updatedAt: given.createdAt ?? leapDay,
  attempt: 0,
  ...given,
})

/** The details of one task in each version: submitted, running, asked to cancel, ended. */
export const lifeOf = (
  random: () => number,
  createdAt: number = leapDay,
): readonly [TaskDetails, TaskDetails, TaskDetails, TaskDetails] => {
  const waiting = detailsWith(random, { createdAt, labels: ['nightly'] })
  const inProgress = {
    ...waiting,
    version: 2,
    status: 'inProgress',
    attempt: 1,
    updatedAt: createdAt + 1,
    startedAt: createdAt + 1,
    node: 'worker-1',
  } as const
  const cancelRequested = {
    ...inProgress,
    version: 3,
    status: 'cancelRequested',
    updatedAt: createdAt + 2,
    cancelRequestedAt: createdAt + 2,
    cancelRequestedBy: 'front-end',
    cancelReason: 'no longer needed',
  } as const
  const cancelled = { ...cancelRequested, version: 4, status: 'cancelled', updatedAt: createdAt + 3, finishedAt: createdAt + 3 } as const
  return [waiting, inProgress, cancelRequested, cancelled]
}

/** One task in each status, each a minute older than the one before. */
export const oneInEachStatus = (random: () => number): readonly (TaskDetails & { readonly status: TaskStatus })[] =>
  taskStatuses.map((status, index) =>
    detailsWith(random, { status, version: 1 + index, createdAt: leapDay - index * 60_000, attempt: status === 'waiting' ? 0 : 1 }),
  )

/** How many tasks are saved at once. */
const savesAtOnce = 100

/** Saves many tasks. */
export const saveAll = async (listing: TaskListing, tasks: readonly TaskDetails[]): Promise<void> => {
  for (let at = 0; at < tasks.length; at += savesAtOnce)
    await Promise.all(tasks.slice(at, at + savesAtOnce).map((task) => listing.save(task)))
}

/** A shuffled copy (Fisher, Yates). */
export const shuffled = <Item>(items: readonly Item[], random: () => number): Item[] => {
  const result = [...items]
  for (let index = result.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1))
    ;[result[index], result[other]] = [result[other] as Item, result[index] as Item]
  }
  return result
}

/** Every order of the items. */
export const permutations = <Item>(items: readonly Item[]): Item[][] =>
  items.length === 0
    ? [[]]
    : items.flatMap((first, index) => permutations(items.filter((_, other) => other !== index)).map((rest) => [first, ...rest]))
