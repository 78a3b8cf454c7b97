import type { TaskDetails, TaskListing } from '@taskledger/core/ports'
import { compareListed } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { same } from '../expectations.ts'
import { listedBy, unfinishedOf } from './reading.ts'
import { detailsWith, leapDay, lifeOf } from './sample-details.ts'

/** A finished task, and a task of the same id that runs, in its first attempt. The clock of its creator may be behind. */
const twoLives = (random: () => number, laterCreatedAt: number): readonly [earlier: TaskDetails, later: TaskDetails] => {
  const [, inProgress, , cancelled] = lifeOf(random)
  const earlier = { ...cancelled, version: 6, attempt: 3, progress: { attempt: 3, sequence: 9, at: leapDay, value: 'of the earlier' } }
  return [earlier, { ...inProgress, createdAt: laterCreatedAt, updatedAt: laterCreatedAt, startedAt: laterCreatedAt }]
}

const livesRule: Rule<TaskListing> = {
  id: 'TL-5.2',
  kind: 'plain',
  title: 'an id that is used again after a removal is a new task: no row, no report and no removal of the earlier life hides or changes it',
  hint: 'name rows and progress by id and creation time; versions, attempts and sequences begin again, so they order the writes of one life only',
  run: async ({ port, peer, random }) => {
    const other = await peer()
    for (const laterCreatedAt of [leapDay + 3_600_000, leapDay - 3_600_000, leapDay + 1]) {
      const [earlier, later] = twoLives(random, laterCreatedAt)
      const reportOf = (sequence: number) => ({ attempt: 1, sequence, at: laterCreatedAt, value: { done: sequence } })
      const lateReportOf = (sequence: number) => ({ attempt: 3, sequence, at: leapDay, value: 'of the earlier' })
      await port.save({ ...earlier, status: 'inProgress', version: 5 })
      await port.saveProgress(earlier, lateReportOf(9))
      await port.save(earlier)

      // The purge of the earlier life has removed its history, and not yet its row.
      await other.save(later)
      for (const client of [port, other]) {
        same(await listedBy(client), [earlier, later].sort(compareListed), 'the list of two lives of one id')
        same(await listedBy(client, { statuses: ['inProgress'] }), [later], 'the running tasks of two lives of one id')
        same(await unfinishedOf(client), [later], 'the unfinished tasks of two lives of one id')
        same(await client.progress(later), undefined, 'the saved progress of a new life')
      }
      await other.saveProgress(later, reportOf(1))
      await port.saveProgress(earlier, lateReportOf(10))
      same(await unfinishedOf(other), [{ ...later, progress: reportOf(1) }], 'the unfinished tasks after a late report of the earlier life')

      await port.remove(earlier)
      await other.saveProgress(earlier, lateReportOf(11))
      for (const sequence of [1, 2]) {
        await other.saveProgress(later, reportOf(sequence))
        for (const client of [port, other]) {
          const row = { ...later, progress: reportOf(sequence) }
          same(await listedBy(client), [row], `the list after report ${sequence} of the later life`)
          same(await unfinishedOf(client), [row], `the unfinished tasks after report ${sequence} of the later life`)
          same(await client.progress(later), reportOf(sequence), `the saved progress after report ${sequence} of the later life`)
        }
      }
      await port.remove(later)
      same(await listedBy(other), [], 'the list after both lives were removed')
      same(await unfinishedOf(other), [], 'the unfinished tasks after both lives were removed')
    }
  },
}

export const removalRules: readonly Rule<TaskListing>[] = [
  {
    id: 'TL-5.1',
    kind: 'plain',
    title: 'a removal deletes the row and the progress of the task, finished or not, and of no other task',
    hint: 'delete it from every table: the list, the unfinished tasks, the progress; removing a missing task is not an error',
    run: async ({ port, peer, random }) => {
      const other = await peer()
      const [, inProgress, , cancelled] = lifeOf(random)
      const finished = { ...cancelled, taskId: detailsWith(random).taskId }
      const neighbour = detailsWith(random, { createdAt: leapDay - 1, status: 'inProgress', version: 2, attempt: 1 })
      const progress = { attempt: 1, sequence: 1, at: leapDay, value: 'begun' }
      for (const task of [inProgress, finished, neighbour]) await port.save(task)
      for (const task of [inProgress, neighbour]) await port.saveProgress(task, progress)
      for (const task of [inProgress, finished]) await other.remove({ taskId: task.taskId, createdAt: task.createdAt })
      for (const task of [inProgress, finished]) await port.remove(task)
      await port.remove(detailsWith(random))
      for (const client of [port, other]) {
        same(await listedBy(client), [{ ...neighbour, progress }], 'the list after two of three tasks were removed')
        same(await unfinishedOf(client), [{ ...neighbour, progress }], 'the unfinished tasks after two of three tasks were removed')
        same(await client.progress(inProgress), undefined, 'the saved progress of a removed task')
        same(await client.progress(neighbour), progress, 'the saved progress of the task that stays')
      }
    },
  },
  livesRule,
]
