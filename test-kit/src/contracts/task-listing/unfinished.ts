import type { TaskDetails, TaskId, TaskListing } from '@taskledger/core/ports'
import { isFinalStatus, isUnreadableRow, shardOf } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { holds, same } from '../expectations.ts'
import { byId, idsOf, unfinishedOf } from './reading.ts'
import { detailsWith, leapDay, lifeOf, oneInEachStatus } from './sample-details.ts'

const dueBeforeRule: Rule<TaskListing> = {
  id: 'TL-3.4',
  kind: 'plain',
  title: 'with `dueBefore`, `unfinished` leaves out no waiting task that became due before that time',
  hint: '`dueAt` of the latest version counts, or `updatedAt` where there is none; return too many tasks rather than too few',
  run: async ({ port, peer, random }) => {
    const other = await peer()
    const at = (ms: number): number => leapDay + ms
    const due = [
      detailsWith(random, { status: 'waiting', createdAt: at(0), updatedAt: at(0) }),
      detailsWith(random, { status: 'waiting', createdAt: at(0), updatedAt: at(10), dueAt: at(900) }),
      detailsWith(random, { status: 'waiting', createdAt: at(0), updatedAt: at(2_000), dueAt: at(500) }),
    ]
    const others = [
      detailsWith(random, { status: 'waiting', createdAt: at(0), updatedAt: at(0), dueAt: at(5_000) }),
      detailsWith(random, { status: 'waiting', createdAt: at(3_000), updatedAt: at(3_000) }),
      detailsWith(random, { status: 'inProgress', createdAt: at(0), updatedAt: at(0) }),
    ]
    const finished = detailsWith(random, { status: 'completed', createdAt: at(0), updatedAt: at(0), finishedAt: at(0) })
    for (const details of [...due, ...others, finished]) await port.save(details)
    // It was not due before, and is due now.
    const [later] = others
    const again = { ...later, version: (later?.version ?? 0) + 1, dueAt: at(999) } as TaskDetails
    await port.save(again)
    for (const client of [port, other]) {
      const found = new Set<string>()
      for (let shard = 0; shard < 3; shard++)
        for await (const row of client.unfinished({ shard, of: 3 }, { dueBefore: at(1_000) })) {
          holds(!isUnreadableRow(row), `the row of task ${row.taskId} cannot be read`)
          const { taskId, status } = row
          holds(!isFinalStatus(status) && !found.has(taskId), `task ${taskId} is ${status}, or was returned twice`)
          found.add(taskId)
        }
      const missing = [...due, again].filter(({ taskId }) => !found.has(taskId))
      same(missing, [], 'the waiting tasks that were due before and are missing')
    }
  },
}

export const unfinishedRules: readonly Rule<TaskListing>[] = [
  {
    id: 'TL-3.1',
    kind: 'plain',
    title: '`unfinished` returns every unfinished task and no finished one',
    hint: 'an older version that arrives late must not bring a finished task back, and a task that waits again must stay',
    run: async ({ port, peer, random }) => {
      const other = await peer()
      const inEach = oneInEachStatus(random)
      for (const task of inEach) await port.save(task)
      await saveInOrder(port, lifeOf(random), [0, 1, 2, 3])
      await saveInOrder(other, lifeOf(random), [3, 0, 1, 2])
      const [waiting, inProgress] = lifeOf(random)
      const again = { ...waiting, version: 3, attempt: 1, dueAt: leapDay + 1_000, node: 'worker-1' }
      await saveInOrder(port, [waiting, inProgress, again], [0, 1, 2])
      const open = [...inEach.filter(({ status }) => !isFinalStatus(status)), again]
      for (const client of [port, other]) same(await unfinishedOf(client), byId(open), 'the unfinished tasks')
    },
  },
  {
    id: 'TL-3.2',
    kind: 'plain',
    title: 'shards are disjoint and complete, and the same for every client and adapter',
    hint: 'the shard of a task is shardOf(taskId, of), however the adapter itself divides its rows',
    run: async ({ port, peer, random }) => {
      const other = await peer()
      const tasks = Array.from({ length: 120 }, (_, index) => detailsWith(random, { createdAt: leapDay - index * 3_600_000 }))
      await Promise.all(tasks.map((task) => port.save(task)))
      for (const shards of [1, 2, 3, 7, 64]) {
        for (let shard = 0; shard < shards; shard++) {
          const expected = byId(tasks.filter(({ taskId }) => shardOf(taskId, shards) === shard))
          const found = await unfinishedOf(shard % 2 === 0 ? port : other, shard, shards)
          same(idsOf(found), idsOf(expected), `the ids in shard ${shard} of ${shards}`)
        }
      }
    },
  },
  {
    id: 'TL-3.3',
    kind: 'race',
    title: 'tasks that were submitted together are found together, all of them, in one shard',
    hint: 'a partition that holds a cohort has a row for each of its tasks; the shard follows from the cohort, not from the whole id',
    run: async ({ port, peer, random }) => {
      const clients = [port, await peer()] as const
      const cohorts = Array.from({ length: 6 }, (_, cohort) => {
        const { taskId } = detailsWith(random)
        return Array.from({ length: 32 }, (_, index) =>
          detailsWith(random, {
            taskId: `${taskId.slice(0, -4)}${(index * 2_047).toString(16).padStart(4, '0')}` as TaskId,
            createdAt: leapDay + cohort,
          }),
        )
      })
      await Promise.all(cohorts.flat().map((task, index) => clients[index % 2 === 0 ? 0 : 1].save(task)))
      for (const shards of [2, 5, 16]) {
        const found = await Promise.all(Array.from({ length: shards }, (_, shard) => unfinishedOf(clients[1], shard, shards)))
        for (const cohort of cohorts) {
          const parts = found.map((tasks) => tasks.filter(({ taskId }) => cohort.some((task) => task.taskId === taskId)))
          same(parts.filter((part) => part.length > 0).map(idsOf), [idsOf(byId(cohort))], `the parts of a cohort, among ${shards} shards`)
        }
      }
    },
  },
  dueBeforeRule,
]

const saveInOrder = async (listing: TaskListing, life: readonly TaskDetails[], order: readonly number[]): Promise<void> => {
  for (const version of order) {
    const details = life[version]
    if (details !== undefined) await listing.save(details)
  }
}
