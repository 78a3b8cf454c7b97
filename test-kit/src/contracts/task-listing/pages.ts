import type { TaskDetails, TaskFilter, TaskListing } from '@taskledger/core/ports'
import { compareListed, isFinalStatus, matches, taskStatuses } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { failedWith, holds, same } from '../expectations.ts'
import { outcomeOf } from '../outcome.ts'
import { idsOf, listedBy, pagesOf } from './reading.ts'
import { detailsWith, leapDay, shuffled } from './sample-details.ts'

const [second, hour, day] = [1_000, 3_600_000, 86_400_000]

/** At the same time, close together and far apart: on each side of the time buckets that an engine may use. */
const ages: readonly number[] = [
  ...Array.from({ length: 8 }, () => 0),
  ...Array.from({ length: 8 }, (_, age) => age + 1),
  second,
  59 * second,
  hour,
  hour,
  11 * hour,
  13 * hour,
  day,
  28 * day,
  31 * day,
  31 * day,
  400 * day,
]

/** Every combination of the six properties, with and without each. */
const everyCombination = (full: Required<TaskFilter>): TaskFilter[] =>
  Object.entries(full).reduce<TaskFilter[]>(
    (filters, [key, value]) => filters.flatMap((filter) => [filter, { ...filter, [key]: value as unknown }]),
    [{}],
  )

/** Tasks that differ in every property of a filter, so that each filter returns some and refuses some. */
const variedTasks = (random: () => number): readonly TaskDetails[] =>
  Array.from({ length: 84 }, (_, index) => {
    const status = taskStatuses[index % taskStatuses.length] ?? 'waiting'
    const labels = ['red', 'green', 'bleu céleste'].filter((_label, bit) => (index >> bit) % 2 === 1)
    const node = { node: index % 4 < 2 ? 'worker-1' : 'worker-2' }
    return detailsWith(random, {
      status,
      version: 1 + (index % 3),
      type: index % 5 < 3 ? 'reindex' : 'reindex-all',
      labels,
      createdAt: leapDay - Math.floor(index / 3) * 7 * hour,
      ...(status === 'waiting' && index % 2 === 0 ? {} : { attempt: 1, ...node }),
      ...(isFinalStatus(status) ? { finishedAt: leapDay } : {}),
    })
  })

export const pageRules: readonly Rule<TaskListing>[] = [
  {
    id: 'TL-2.1',
    kind: 'plain',
    title: 'tasks are listed by creation time and then by id, the newest first, in full pages',
    hint: 'sort by createdAt and taskId, both descending, over all buckets; read one row more than the limit to know whether there is a next page',
    run: async ({ port, peer, random }) => {
      const tasks = ages.map((age) => detailsWith(random, { createdAt: leapDay - age }))
      for (const task of shuffled(tasks, random)) await port.save(task)
      const expected = [...tasks].sort(compareListed)
      same(await listedBy(port), expected, 'the list')
      const other = await peer()
      for (const limit of [1, 3, tasks.length - 1, tasks.length, tasks.length + 1]) {
        const pages = await pagesOf(other, {}, { limit, maxPages: tasks.length })
        same(pages.flat(), expected, `the list in pages of ${limit}`)
        same(
          pages.map(({ length }) => length).slice(0, -1),
          pages.slice(0, -1).map(() => limit),
          `the lengths of all pages but the last, with a limit of ${limit}`,
        )
        holds(pages.at(-1)?.length !== 0, `the last cursor of a list in pages of ${limit} led to a page without tasks`)
      }
    },
  },
  {
    id: 'TL-2.2',
    kind: 'plain',
    title: 'a filter returns the tasks that have all its properties: statuses, type, node, label, since, until, in every combination',
    hint: 'since is inclusive and until is exclusive; the properties of a filter are joined by "and", its statuses by "or"',
    run: async ({ port, random, observe }) => {
      const tasks = variedTasks(random)
      await Promise.all(shuffled(tasks, random).map((task) => port.save(task)))
      same(await listedBy(port, { label: 'unheard-of' }), [], 'the tasks with a label that no task has')
      const wholes: readonly Required<TaskFilter>[] = [
        {
          statuses: ['waiting', 'inProgress'],
          type: 'reindex',
          node: 'worker-1',
          label: 'red',
          since: leapDay - 20 * 7 * hour,
          until: leapDay - 2 * 7 * hour,
        },
        {
          statuses: ['completed'],
          type: 'reindex-all',
          node: 'worker-2',
          label: 'bleu céleste',
          since: leapDay - 27 * 7 * hour,
          until: leapDay,
        },
        {
          statuses: ['died', 'cancelRequested', 'failed', 'cancelled'],
          type: 'reindex',
          node: 'worker-2',
          label: 'green',
          since: leapDay - 9 * 7 * hour,
          until: leapDay + 1,
        },
      ]
      for (const filter of wholes.flatMap(everyCombination)) {
        const expected = tasks.filter((task) => matches(task, filter)).sort(compareListed)
        observe({ filter, expected: idsOf(expected) })
        same((await pagesOf(port, filter, { limit: 10 })).flat(), expected, `the tasks by the filter ${JSON.stringify(filter)}`)
      }
    },
  },
  {
    id: 'TL-2.3',
    kind: 'plain',
    title: 'a cursor walks every task once while tasks are added, changed and removed, on any client',
    hint: 'a cursor holds the position where the page ended (time and id), not a number of rows and no state of a client',
    run: async ({ port, peer, random, observe }) => {
      const other = await peer()
      const tasks = Array.from({ length: 60 }, (_, index) =>
        detailsWith(random, { createdAt: leapDay - Math.floor(index / 4) * hour }),
      ).sort(compareListed)
      for (const task of tasks) await port.save(task)
      const seen: TaskDetails[] = []
      let cursor: string | undefined
      for (let turn = 0; turn === 0 || cursor !== undefined; turn++) {
        holds(turn < 100, 'the walk has not ended after 100 pages')
        const page = await (turn % 2 === 0 ? port : other).list({}, { limit: 7, ...(cursor === undefined ? {} : { cursor }) })
        seen.push(...page.tasks)
        cursor = page.cursor
        // Newer tasks arrive in front. At the ends of the page one row changes and one is removed.
        for (let newcomer = 0; newcomer < 3; newcomer++) await port.save(detailsWith(random, { createdAt: leapDay + 1 + turn }))
        const [first, last] = [page.tasks[0], page.tasks.at(-1)]
        if (first !== undefined) await other.save({ ...first, version: first.version + 1, status: 'inProgress', attempt: 1 })
        if (last !== undefined) await port.remove(last)
      }
      observe(idsOf(seen))
      same(idsOf(seen), idsOf(tasks), 'the ids that a walk met while tasks were added, changed and removed')
    },
  },
  {
    id: 'TL-2.4',
    kind: 'plain',
    title: 'a malformed cursor, or one of another filter, is refused as INVALID_CURSOR',
    hint: 'decode the cursor before the engine sees it, and store its filter in it',
    run: async ({ port, random }) => {
      for (let index = 0; index < 6; index++) await port.save(detailsWith(random, { createdAt: leapDay - index, labels: ['red'] }))
      const filter = { type: 'reindex' }
      const { cursor } = await port.list(filter, { limit: 2 })
      holds(cursor !== undefined, 'a page of 2 of 6 tasks has no cursor')
      const refuses = async (text: string, by: TaskFilter): Promise<void> => {
        const call = `a list by ${JSON.stringify(by)} with the cursor ${JSON.stringify(text.slice(0, 100))}`
        failedWith(await outcomeOf(port.list(by, { limit: 2, cursor: text })), 'INVALID_CURSOR', call)
      }
      for (const text of [
        '',
        'x',
        '0',
        '{}',
        'bm90IGEgY3Vyc29y',
        `${cursor}x!`,
        cursor.slice(0, cursor.length / 2),
        '💥',
        '\0',
        'A'.repeat(10_000),
      ]) {
        await refuses(text, filter)
      }
      for (const foreign of [{}, { type: 'other' }, { type: 'reindex', label: 'red' }, { label: 'red' }]) await refuses(cursor, foreign)
      holds(
        (await port.list(filter, { limit: 2, cursor })).tasks.length > 0,
        'a list with its own cursor has no tasks, and 4 of 6 were left',
      )
    },
  },
]
