import assert from 'node:assert/strict'
import type { TaskLife, TaskListing, TaskProgress } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { byId, listedBy, unfinishedOf } from './reading.ts'
import { drawTaskId } from '../sample-data.ts'
import { detailsWith, leapDay, lifeOf, shuffled } from './sample-details.ts'

const progressOf = (attempt: number, sequence: number): TaskProgress => ({
  attempt,
  sequence,
  at: leapDay + attempt * 1_000 + sequence,
  value: { attempt, done: sequence, of: 10 },
})

export const progressRules: readonly Rule<TaskListing>[] = [
  {
    id: 'TL-4.1',
    kind: 'race',
    title: 'the progress with the highest (attempt, sequence) wins, in any order and over two clients',
    hint: 'compare the attempt first and then the sequence; the time of the report and the order of arrival do not count',
    run: async ({ port, peer, random }) => {
      const clients = [port, await peer()] as const
      const reports = [progressOf(1, 1), progressOf(1, 2), progressOf(1, 10), progressOf(2, 1), progressOf(2, 2)]
      const last = progressOf(2, 2)
      const save = (task: TaskLife, report: TaskProgress, turn: number): Promise<void> =>
        clients[turn % 2 === 0 ? 0 : 1].saveProgress(task, report)
      const orders = [reports, [...reports].reverse(), ...Array.from({ length: 10 }, () => shuffled(reports, random))]
      for (const [index, order] of orders.entries()) {
        const running = detailsWith(random, { status: 'inProgress', version: 4, attempt: 2, createdAt: leapDay - index })
        await port.save(running)
        if (index % 2 === 0) for (const [turn, report] of order.entries()) await save(running, report, turn)
        else await Promise.all(order.map((report, turn) => save(running, report, turn)))
        for (const client of clients) assert.deepEqual(await client.progress(running), last)
      }
      for (const row of await listedBy(port)) assert.deepEqual(row.progress, last)
    },
  },
  {
    id: 'TL-4.2',
    kind: 'plain',
    title: 'progress appears in the rows of unfinished tasks and changes nothing else of them',
    hint: 'store it apart from the columns that a save writes: it has no version, creates no row and outlives the next save',
    run: async ({ port, random }) => {
      const stranger = detailsWith(random)
      await port.saveProgress(stranger, progressOf(1, 1))
      assert.deepEqual(await listedBy(port), [], 'progress of an unknown task makes no row')
      assert.deepEqual(await unfinishedOf(port), [], 'progress of an unknown task makes no row')

      const [first, inProgress, cancelRequested] = lifeOf(random)
      // It waits after a first attempt: before that attempt an adapter need not look for progress.
      const waiting = { ...first, attempt: 1 }
      assert.equal(await port.progress(waiting), undefined)
      for (const details of [waiting, inProgress, cancelRequested]) {
        await port.save(details)
        const progress = progressOf(1, details.version)
        await port.saveProgress(details, progress)
        const row = { ...details, progress }
        assert.deepEqual(await listedBy(port), [row])
        assert.deepEqual(await unfinishedOf(port), [row])
        assert.deepEqual(await listedBy(port, { statuses: [details.status] }), [row])
      }
      await port.save({ ...cancelRequested, version: 4 })
      assert.deepEqual((await listedBy(port))[0]?.progress, progressOf(1, 3), 'the next save keeps the progress')
    },
  },
  {
    id: 'TL-4.3',
    kind: 'plain',
    title: 'progress in the saved details counts like reported progress',
    hint: 'a row shows the later of the reported progress and the progress of its details, by attempt and then by sequence',
    run: async ({ port, random }) => {
      const [waiting] = lifeOf(random)
      const again = { ...waiting, version: 3, attempt: 1, progress: progressOf(1, 5) }
      await port.save(again)
      await port.saveProgress(again, progressOf(1, 3))
      assert.deepEqual(await listedBy(port), [again])
      assert.deepEqual(await unfinishedOf(port), [again])
      const started = { ...again, version: 4, status: 'inProgress', attempt: 2 } as const
      await port.save(started)
      await port.saveProgress(again, progressOf(2, 1))
      assert.deepEqual(await listedBy(port), [{ ...started, progress: progressOf(2, 1) }])
    },
  },
  {
    id: 'TL-4.4',
    kind: 'plain',
    title: 'progress that arrives after the end is ignored: a finished task keeps the progress of its last event',
    hint: 'show the progress of a finished task from its details, whatever was reported before or since',
    run: async ({ port, random }) => {
      const [, inProgress, , cancelled] = lifeOf(random)
      const silent = { ...cancelled, taskId: drawTaskId(random), createdAt: leapDay - 1 }
      const finished = { ...cancelled, progress: progressOf(1, 4) }
      await port.save(inProgress)
      await port.save({ ...inProgress, taskId: silent.taskId, createdAt: silent.createdAt })
      for (const task of [finished, silent]) await port.saveProgress(task, progressOf(1, 3))
      await port.save(finished)
      await port.save(silent)
      for (const task of [finished, silent]) await port.saveProgress(task, progressOf(1, 9))
      for (const task of [finished, silent]) await port.saveProgress(task, progressOf(2, 1))
      assert.deepEqual(byId(await listedBy(port)), byId([finished, silent]))
      assert.deepEqual(byId(await listedBy(port, { statuses: ['cancelled'] })), byId([finished, silent]))
      assert.deepEqual(await unfinishedOf(port), [])
    },
  },
]
