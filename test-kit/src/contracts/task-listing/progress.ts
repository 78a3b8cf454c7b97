import type { TaskLife, TaskListing, TaskProgress } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { same } from '../expectations.ts'
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
        for (const client of clients)
          same(await client.progress(running), last, `the saved progress after the reports of order ${index + 1}`)
      }
      for (const row of await listedBy(port)) same(row.progress, last, 'the progress in a row')
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
      same(await listedBy(port), [], 'the list after progress of an unknown task')
      same(await unfinishedOf(port), [], 'the unfinished tasks after progress of an unknown task')

      const [first, inProgress, cancelRequested] = lifeOf(random)
      // It waits after a first attempt: before that attempt an adapter need not look for progress.
      const waiting = { ...first, attempt: 1 }
      same(await port.progress(waiting), undefined, 'the saved progress before any report')
      for (const details of [waiting, inProgress, cancelRequested]) {
        await port.save(details)
        const progress = progressOf(1, details.version)
        await port.saveProgress(details, progress)
        const row = { ...details, progress }
        same(await listedBy(port), [row], `the list after a report of a task that is ${details.status}`)
        same(await unfinishedOf(port), [row], `the unfinished tasks after a report of a task that is ${details.status}`)
        same(await listedBy(port, { statuses: [details.status] }), [row], `the tasks that are ${details.status}, after a report`)
      }
      await port.save({ ...cancelRequested, version: 4 })
      same((await listedBy(port))[0]?.progress, progressOf(1, 3), 'the progress in the row after the next save')
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
      same(await listedBy(port), [again], 'the list after a report that is older than the progress of the details')
      same(await unfinishedOf(port), [again], 'the unfinished tasks after a report that is older than the progress of the details')
      const started = { ...again, version: 4, status: 'inProgress', attempt: 2 } as const
      await port.save(started)
      await port.saveProgress(again, progressOf(2, 1))
      same(await listedBy(port), [{ ...started, progress: progressOf(2, 1) }], 'the list after a report of the next attempt')
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
      same(byId(await listedBy(port)), byId([finished, silent]), 'the list after late reports of finished tasks')
      same(byId(await listedBy(port, { statuses: ['cancelled'] })), byId([finished, silent]), 'the cancelled tasks after late reports')
      same(await unfinishedOf(port), [], 'the unfinished tasks after late reports of finished tasks')
    },
  },
  {
    id: 'TL-4.5',
    kind: 'plain',
    title: '`progress` returns the latest report, and never the progress of the details',
    hint: 'answer from where `saveProgress` writes: the caller compares the answer with the history, which has the progress of the details',
    run: async ({ port, peer, random }) => {
      const other = await peer()
      const [waiting] = lifeOf(random)
      const again = { ...waiting, version: 3, attempt: 1, progress: progressOf(1, 5) }
      await port.save(again)
      for (const client of [port, other]) same(await client.progress(again), undefined, 'the saved progress before any report')
      await other.saveProgress(again, progressOf(1, 3))
      for (const client of [port, other]) same(await client.progress(again), progressOf(1, 3), 'the saved progress after a report')
      await port.save({ ...again, version: 4, status: 'inProgress', attempt: 2, progress: progressOf(2, 9) })
      for (const client of [port, other])
        same(await client.progress(again), progressOf(1, 3), 'the saved progress after a save whose details have later progress')
      await port.saveProgress(again, progressOf(2, 4))
      for (const client of [port, other]) same(await client.progress(again), progressOf(2, 4), 'the saved progress after the next report')
    },
  },
]
