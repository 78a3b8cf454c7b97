import type { TaskDetails, TaskListing, TaskProgress, TaskShard, UnfinishedOptions, UnreadableRow } from '@taskledger/core/ports'
import { isUnreadableRow, shardOf } from '@taskledger/core/ports'
import type { Subject } from '../../framework/harness.ts'
import type { Rule } from '../../framework/rule.ts'
import { holds, same } from '../expectations.ts'
import { byId, unfinishedOf } from './reading.ts'
import { detailsWith, leapDay } from './sample-details.ts'

/** The beginning of the details of a row, as a write that was cut off would leave it. */
const cutOff = new TextEncoder().encode('{"v":1,"taskId":')

const notShown = ({ inject }: Subject<TaskListing>): string | undefined =>
  inject === undefined ? 'the harness has no "inject"' : undefined

/** Checks what is told of an unreadable row. */
const checkNamed = (row: UnreadableRow | undefined, { taskId, createdAt }: TaskDetails): void => {
  same([row?.taskId, row?.createdAt], [taskId, createdAt], 'the row that cannot be read, by its id and its time')
  holds(typeof row?.unreadable === 'string' && row.unreadable !== '', 'the row does not say why it cannot be read')
}

/** All rows of a shard, with those that cannot be read. */
const openRowsOf = async (
  listing: TaskListing,
  shard: TaskShard,
  options: UnfinishedOptions = {},
): Promise<readonly (TaskDetails | UnreadableRow)[]> => {
  const rows: (TaskDetails | UnreadableRow)[] = []
  for await (const row of listing.unfinished(shard, options)) rows.push(row)
  return rows
}

export const unreadableRules: readonly Rule<TaskListing>[] = [
  {
    id: 'TL-7.1',
    kind: 'plain',
    title: 'a list names the rows that cannot be decoded, in their place, and goes on behind them',
    hint: 'put them under `unreadable` of the page, count them in the limit, and make the cursor of the last row, readable or not',
    notShown,
    run: async ({ port, peer, inject, random }) => {
      const other = await peer()
      const tasks = Array.from({ length: 5 }, (_, index) => detailsWith(random, { createdAt: leapDay - index * 1_000 }))
      for (const task of tasks) await port.save(task)
      const isSpoilt = (index: number): boolean => index === 1 || index === 4
      for (const [index, { taskId }] of tasks.entries()) if (isSpoilt(index)) await inject?.(cutOff, taskId)
      for (const client of [port, other])
        for (const filter of [{}, { type: 'reindex' }, { statuses: ['waiting'] }, { until: leapDay + 1 }] as const) {
          const found: (TaskDetails | UnreadableRow)[] = []
          let cursor: string | undefined
          do {
            const page = await client.list(filter, { limit: 2, ...(cursor === undefined ? {} : { cursor }) })
            const rows = [...page.tasks, ...(page.unreadable ?? [])]
            holds(rows.length <= 2, `a page holds ${rows.length} rows, and its limit was 2`)
            found.push(...rows.sort((a, b) => b.createdAt - a.createdAt))
            holds(found.length <= tasks.length, 'a row was listed twice')
            cursor = page.cursor
          } while (cursor !== undefined)
          same(found.length, tasks.length, `the number of rows listed by ${JSON.stringify(filter)}, in pages of 2`)
          for (const [index, task] of tasks.entries()) {
            const row = found[index]
            if (isSpoilt(index)) checkNamed(row !== undefined && isUnreadableRow(row) ? row : undefined, task)
            else same(row, task, `a row that can be read, beside others, listed by ${JSON.stringify(filter)}`)
          }
        }
      const early = await other.list({ since: leapDay - 500 }, { limit: 10 })
      same(early, { tasks: [tasks[0]] }, 'the tasks since a time after which only one was created')
    },
  },
  {
    id: 'TL-7.2',
    kind: 'plain',
    title: '`unfinished` names the rows that cannot be decoded, each in the shard of its task, and goes on behind them',
    hint: 'the id of the task is a key of the row: the shard follows from it, and nobody looks for a task that is left out',
    notShown,
    run: async ({ port, peer, inject, random }) => {
      const other = await peer()
      const tasks = Array.from({ length: 9 }, (_, index) => detailsWith(random, { createdAt: leapDay - index * 3_600_000 }))
      for (const task of tasks) await port.save(task)
      const spoilt = new Set(tasks.filter((_, index) => index % 3 === 0))
      for (const { taskId } of spoilt) await inject?.(cutOff, taskId)
      // All of them are due before, so a search for lost messages has to find each of them.
      for (const [client, options] of [
        [port, {}],
        [other, { dueBefore: leapDay + 60_000 }],
      ] as const)
        for (let shard = 0; shard < 2; shard++) {
          const expected = tasks.filter(({ taskId }) => shardOf(taskId, 2) === shard)
          const rows = await openRowsOf(client, { shard, of: 2 }, options)
          same(rows.length, expected.length, `the number of rows in shard ${shard}`)
          for (const task of expected) {
            const row = rows.find(({ taskId }) => taskId === task.taskId)
            if (spoilt.has(task)) checkNamed(row !== undefined && isUnreadableRow(row) ? row : undefined, task)
            else same(row, task, `a row of shard ${shard} that can be read, beside others`)
          }
        }
    },
  },
  {
    id: 'TL-7.3',
    kind: 'plain',
    title: 'a later save replaces a row that cannot be decoded, and a removal deletes it',
    hint: 'neither of them may need the details of the row; its keys are enough',
    notShown,
    run: async ({ port, peer, inject, random }) => {
      const other = await peer()
      const [saved, removed, neighbour] = [detailsWith(random), detailsWith(random), detailsWith(random)]
      for (const task of [saved, removed, neighbour]) await port.save(task)
      for (const { taskId } of [saved, removed]) await inject?.(cutOff, taskId)
      const later = { ...saved, version: saved.version + 5, status: 'inProgress', attempt: 1, node: 'worker-1' } as const
      await other.save(later)
      await other.remove({ taskId: removed.taskId, createdAt: removed.createdAt })
      const expected = [later, neighbour].sort((a, b) => (a.taskId < b.taskId ? 1 : -1))
      for (const client of [port, other]) {
        same(
          await client.list({}, { limit: 10 }),
          { tasks: expected },
          'the list after a save and a removal of rows that could not be read',
        )
        same(
          [...(await openRowsOf(client, { shard: 0, of: 1 }))].map(({ taskId }) => taskId).sort(),
          expected.map(({ taskId }) => taskId).sort(),
          'the ids of the unfinished tasks after a save and a removal of rows that could not be read',
        )
      }
    },
  },
  {
    id: 'TL-7.4',
    kind: 'plain',
    title: 'a report of progress that cannot be decoded counts as none, and the next report replaces it',
    hint: 'leave the report out and log it: the next report says more than the lost one, so neither a row nor a call has to fail for it',
    notShown: ({ injectProgress }) => (injectProgress === undefined ? 'the harness has no "injectProgress"' : undefined),
    run: async ({ port, peer, injectProgress, random }) => {
      const other = await peer()
      const progressOf = (sequence: number): TaskProgress => ({ attempt: 1, sequence, at: leapDay + sequence, value: { done: sequence } })
      const running = { status: 'inProgress', version: 2, attempt: 1, node: 'worker-1' } as const
      const bare = detailsWith(random, { ...running, createdAt: leapDay + 1 })
      // The history has its progress, as after an attempt that failed.
      const known = detailsWith(random, { ...running, progress: progressOf(1) })
      for (const task of [bare, known]) {
        await port.save(task)
        await port.saveProgress(task, progressOf(2))
        await injectProgress?.(cutOff, task.taskId)
      }
      for (const client of [port, other]) {
        same(await client.progress(bare), undefined, 'the saved progress, which cannot be decoded')
        const { tasks, unreadable = [] } = await client.list({}, { limit: 10 })
        same(unreadable, [], 'the rows that cannot be decoded, beside progress that cannot be decoded')
        same(byId(tasks), byId([bare, known]), 'the list, beside progress that cannot be decoded')
        same(byId(await unfinishedOf(client)), byId([bare, known]), 'the unfinished tasks, beside progress that cannot be decoded')
      }
      await other.saveProgress(bare, progressOf(7))
      for (const client of [port, other]) same(await client.progress(bare), progressOf(7), 'the saved progress after the next report')
    },
  },
]
