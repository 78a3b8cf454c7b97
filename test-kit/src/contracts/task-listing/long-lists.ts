import type { TaskDetails, TaskFilter, TaskId, TaskListing, TaskStatus } from '@taskledger/core/ports'
import { compareListed, matches, shardOf } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { same } from '../expectations.ts'
import { byId, idsOf, listedBy, pagesOf, unfinishedOf } from './reading.ts'
import { detailsWith, leapDay, saveAll } from './sample-details.ts'

const [second, day] = [1_000, 86_400_000]

/** The largest limit of a page. */
const maxLimit = 1_000

/** What most tasks of a long list have, so that a filter by it has many pages, too. */
const common: Partial<TaskDetails> = { type: 'reindex', node: 'worker-1', labels: ['red'], attempt: 1 }
/** What a few tasks among them have. */
const rare: Partial<TaskDetails> = { type: 'compact', node: 'worker-2', labels: ['green'], attempt: 1 }

/** How many tasks are some more than two pages of the adapter. */
const manyFor = (pageRows: number): number => 2 * pageRows + 3

/**
 * Tasks of one cohort, so that all of them are in one partition of an engine that divides tasks by their ids. Every eighth has the rare properties.
 */
const cohortOf = (
  random: () => number,
  count: number,
  statuses: readonly TaskStatus[],
  createdAt: (index: number) => number,
): readonly TaskDetails[] => {
  const start = detailsWith(random).taskId.slice(0, -4)
  return Array.from({ length: count }, (_, index) =>
    detailsWith(random, {
      ...(index % 8 === 5 ? rare : common),
      taskId: `${start}${index.toString(16).padStart(4, '0')}` as TaskId,
      status: statuses[index % statuses.length] ?? 'waiting',
      version: 2,
      createdAt: createdAt(index),
    }),
  )
}

/** Four in each millisecond: in one time bucket of any engine. */
const dense = (index: number): number => leapDay - Math.floor(index / 4)
/** One a day: in as many time buckets as there are tasks. */
const sparse = (index: number): number => leapDay - second - index * day

const open: readonly TaskStatus[] = ['waiting', 'inProgress']
const ended: readonly TaskStatus[] = ['completed', 'failed']

/** Enough tasks that even without the rare ones each filter returns more than two pages. */
const longList = (random: () => number, pageRows: number): readonly TaskDetails[] => {
  const count = Math.ceil(manyFor(pageRows) * (8 / 7))
  return [...cohortOf(random, count, open, dense), ...cohortOf(random, count, ended, dense), ...cohortOf(random, count, ended, sparse)]
}

const longFilters: readonly TaskFilter[] = [
  { statuses: open },
  { statuses: ended },
  { type: 'reindex' },
  { node: 'worker-1' },
  { label: 'red' },
  { since: leapDay - second - 1_000 * day },
  { until: leapDay - 1 },
]

/** Two groups of filters: the tasks of one have no property of the other, except for the old task, which has all. */
const evens = { type: 'reindex', node: 'worker-1', status: 'completed' } as const
const odds = { labels: ['red'], status: 'failed' } as const
const twoProperties: readonly TaskFilter[] = [
  { type: 'reindex', label: 'red' },
  { node: 'worker-1', label: 'red' },
  { type: 'reindex', statuses: ['failed'] },
  { node: 'worker-1', statuses: ['failed'] },
]

/** Half of them have one property, half the other: more than the 2,000 rows after which an adapter gives up that counts rows. */
const minOthers = 4_200

/** How many other tasks a filter has to pass: also more than an adapter reads that gives up after a few of its pages. */
const othersFor = (pageRows: number): number => Math.max(minOthers, 10 * pageRows)

export const longListRules: readonly Rule<TaskListing>[] = [
  {
    id: 'TL-2.6',
    kind: 'plain',
    title: 'a walk meets every task once, in order, over more than two pages of the adapter: of the whole list, and of every filter',
    hint: 'read on after a full page of the engine, until the limit is reached or the engine has no more rows',
    run: async ({ port, peer, random, pageRows }) => {
      const tasks = longList(random, pageRows)
      await saveAll(port, tasks)
      const other = await peer()
      const check = async (listing: TaskListing, filter: TaskFilter, limit: number): Promise<void> => {
        const expected = tasks.filter((task) => matches(task, filter)).sort(compareListed)
        const found = (await pagesOf(listing, filter, { limit, maxPages: tasks.length })).flat()
        same(
          idsOf(found),
          idsOf(expected),
          `the ids of ${expected.length} of ${tasks.length} tasks by ${JSON.stringify(filter)}, in pages of ${limit}`,
        )
      }
      // Pages that end where those of the adapter end, and others.
      for (const limit of new Set([maxLimit, Math.min(pageRows, maxLimit), Math.min(Math.ceil(pageRows / 2) + 1, maxLimit)]))
        await check(port, {}, limit)
      for (const filter of longFilters) await check(other, filter, maxLimit)
    },
  },
  {
    id: 'TL-2.7',
    kind: 'plain',
    title: 'a filter by two properties finds the one old task that has both, among many thousand that have one of them',
    hint: 'read until the page is full or no row is left; a limit on the rows that are read turns "not found yet" into "not there"',
    run: async ({ port, random, pageRows }) => {
      const count = othersFor(pageRows)
      const others = Array.from({ length: count }, (_, index) =>
        detailsWith(random, { type: 'compact', ...(index % 2 === 0 ? evens : odds), attempt: 1, createdAt: leapDay - index * second }),
      )
      const old = detailsWith(random, { ...evens, ...odds, attempt: 1, createdAt: leapDay - 400 * day })
      await port.save(old)
      await saveAll(port, others)
      for (const filter of twoProperties)
        same(
          await pagesOf(port, filter, { limit: 10 }),
          [[old]],
          `the pages by ${JSON.stringify(filter)}, where one old task matches and ${count} newer ones do not`,
        )
    },
  },
]

export const longShardRule: Rule<TaskListing> = {
  id: 'TL-3.5',
  kind: 'plain',
  title: '`unfinished` returns every task of a shard that has more than two pages of the adapter, also with `dueBefore`',
  hint: 'read on after a full page of the engine, until it has no more rows',
  run: async ({ port, peer, random, pageRows }) => {
    const count = manyFor(pageRows)
    const tasks = [...cohortOf(random, count, open, dense), ...cohortOf(random, count, open, sparse)]
    await saveAll(port, tasks)
    for (const [client, of] of [
      [port, 1],
      [await peer(), 4],
    ] as const)
      for (let shard = 0; shard < of; shard++) {
        const expected = byId(tasks.filter(({ taskId }) => shardOf(taskId, of) === shard))
        same(idsOf(await unfinishedOf(client, shard, of)), idsOf(expected), `the ids of the unfinished tasks in shard ${shard} of ${of}`)
        // All of them wait since before that. An adapter may return others too.
        const found = await unfinishedOf(client, shard, of, { dueBefore: leapDay + day })
        same(
          idsOf(found.filter(({ status }) => status === 'waiting')),
          idsOf(expected.filter(({ status }) => status === 'waiting')),
          `the ids of the waiting tasks by \`dueBefore\`, in shard ${shard} of ${of}`,
        )
      }
    same((await listedBy(port, { statuses: open })).length, tasks.length, 'the number of unfinished tasks in the list')
  },
}
