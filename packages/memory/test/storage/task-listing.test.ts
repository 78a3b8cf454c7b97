import type { TaskDetails, TaskListing, TaskProgress, UnreadableRow } from '@taskledger/core/ports'
import { createMemory } from '@taskledger/memory'
import { expect, test } from 'vitest'
import { details } from '../samples.ts'

const progress = (sequence: number): TaskProgress => ({ attempt: 1, sequence, at: 1_000 + sequence, value: { done: sequence } })

const unfinished = async (listing: TaskListing): Promise<readonly (TaskDetails | UnreadableRow)[]> => {
  const found: (TaskDetails | UnreadableRow)[] = []
  for await (const task of listing.unfinished({ shard: 0, of: 1 })) found.push(task)
  return found
}

test('a final row removes a task from the unfinished ones, and its progress with it', async () => {
  const { listing } = createMemory().storage()
  await listing.save(details(1))
  await listing.saveProgress(details(1), progress(3))
  await listing.saveProgress(details(1), progress(2))
  expect(await unfinished(listing)).toEqual([details(1, { progress: progress(3) })])
  const final = details(1, { version: 3, status: 'completed' })
  await listing.save(final)
  await listing.saveProgress(details(1), progress(4))
  expect(await unfinished(listing)).toEqual([])
  expect(await listing.progress(details(1))).toBeUndefined()
  expect((await listing.list({}, { limit: 1 })).tasks).toEqual([final])
})

test('unfinished tasks can be iterated while tasks finish, are removed and are added', async () => {
  const { listing } = createMemory().storage()
  for (const number of [1, 2, 3, 4]) await listing.save(details(number))
  const walk = listing.unfinished({ shard: 0, of: 1 })[Symbol.asyncIterator]()
  expect((await walk.next()).value).toEqual(details(4))
  await listing.save(details(3, { version: 2, status: 'failed' }))
  await listing.remove(details(2))
  await listing.save(details(5))
  expect((await walk.next()).value).toEqual(details(1))
  expect((await walk.next()).done).toBe(true)
})

test('an iteration ends when the listing is closed', async () => {
  const { listing } = createMemory().storage()
  for (const number of [1, 2]) await listing.save(details(number))
  const walk = listing.unfinished({ shard: 0, of: 1 })[Symbol.asyncIterator]()
  await walk.next()
  await listing.close()
  await expect(walk.next()).rejects.toMatchObject({ code: 'CLOSED' })
})

test('a removed task is in no list, and can be listed again', async () => {
  const { listing } = createMemory().storage()
  await listing.save(details(1, { version: 5 }))
  await listing.saveProgress(details(1), progress(1))
  await listing.remove(details(1))
  expect(await unfinished(listing)).toEqual([])
  expect(await listing.progress(details(1))).toBeUndefined()
  await listing.save(details(1, { version: 1 }))
  expect(await unfinished(listing)).toEqual([details(1)])
})

test('a page has a cursor only if further tasks match the filter', async () => {
  const { listing } = createMemory().storage()
  for (const number of [1, 2, 3]) await listing.save(details(number, number === 1 ? { type: 'other' } : {}))
  const page = await listing.list({ type: 'reindex' }, { limit: 2 })
  expect(page).toEqual({ tasks: [details(3), details(2)] })
})

test('since is inclusive, until is exclusive', async () => {
  const { listing } = createMemory().storage()
  for (const number of [1, 2, 3, 4]) await listing.save(details(number, { createdAt: number }))
  const { tasks } = await listing.list({ since: 2, until: 4 }, { limit: 10 })
  expect(tasks.map(({ createdAt }) => createdAt)).toEqual([3, 2])
})
