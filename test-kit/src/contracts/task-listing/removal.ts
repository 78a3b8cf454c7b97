import assert from 'node:assert/strict'
import type { TaskListing } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { listedBy, unfinishedOf } from './reading.ts'
import { detailsWith, leapDay, lifeOf } from './sample-details.ts'

export const removalRule: Rule<TaskListing> = {
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
    for (const task of [inProgress, neighbour]) await port.saveProgress(task.taskId, progress)
    for (const task of [inProgress, finished]) await other.remove({ taskId: task.taskId, createdAt: task.createdAt })
    for (const task of [inProgress, finished]) await port.remove(task)
    await port.remove(detailsWith(random))
    for (const client of [port, other]) {
      assert.deepEqual(await listedBy(client), [{ ...neighbour, progress }])
      assert.deepEqual(await unfinishedOf(client), [{ ...neighbour, progress }])
      assert.equal(await client.progress(inProgress.taskId), undefined)
      assert.deepEqual(await client.progress(neighbour.taskId), progress)
    }
  },
}
