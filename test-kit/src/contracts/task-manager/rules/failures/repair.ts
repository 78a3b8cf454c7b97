import type { TaskEvent } from '@taskledger/core/ports'
import { detailsOf } from '@taskledger/core/ports'
import type { Rule } from '../../../../framework/rule.ts'
import { createdEvent, freshTaskId, startedEvent } from '../../../sample-data.ts'
import type { Adapters } from '../../../../faults/adapters.ts'
import { clustered } from '../../stage/clustered.ts'
import { echoTask } from '../../stage/echo-task.ts'
import { outcomeOf } from '../../../outcome.ts'
import { failedWith, holds, same } from '../../../expectations.ts'

/** The shortest history. */
const oneLife = (): [TaskEvent, ...TaskEvent[]] => {
  const taskId = freshTaskId()
  const started = startedEvent(taskId, 2)
  return [
    createdEvent(taskId),
    started,
    { ...started, type: 'TaskCompleted', version: 3, eventId: `${started.eventId} end`, attempt: 1, result: taskId },
  ]
}

/** Rules 6.x, continued: repairs and health. */
export const repairRules: readonly Rule<Adapters>[] = [
  clustered({
    id: 'TM-6.8',
    kind: 'plain',
    title: 'a listing that has lost rows is rebuilt from the histories and equals them, while tasks begin and end',
    hint: 'walk every history and save its details: the highest version wins',
    run: async (cluster, { within, observe }) => {
      const node = await cluster.node({ tasks: [echoTask], worker: { slots: 10 } })
      const { storage } = await cluster.outside()
      // As if all rows were lost but one, which is older than the history of its task.
      const lost = Array.from({ length: 40 }, () => oneLife())
      for (const [index, life] of lost.entries()) {
        await storage.events.append(life[0].taskId, 0, life)
        const details = detailsOf(life.slice(0, 1))
        if (index === 0 && details !== undefined) await storage.listing.save(details)
      }
      const rebuilding = node.manager.rebuildListing()
      const meanwhile = await node.manager.submitMany(echoTask, [1, 2, 3, 4, 5])
      const ends = await within('every task ended', Promise.all(meanwhile.map((handle) => handle.finished())))
      const { unreadable, saved } = await within('the listing is rebuilt', rebuilding)
      same(unreadable, 0, 'the number of unreadable histories')
      holds(saved >= lost.length, `${saved} of ${lost.length} rows were saved`)
      for (const details of [...lost.map((life) => detailsOf(life)), ...ends]) {
        observe(details)
        if (details !== undefined) await cluster.rowIs(details, node)
      }
      same((await cluster.listed(node)).length, lost.length + ends.length, 'how many tasks are listed after the rebuild')
    },
  }),
  clustered({
    id: 'TM-6.9',
    kind: 'plain',
    title: 'a purge removes history and row of the tasks that finished before a time, and nothing else',
    hint: 'the time of the end counts, not the time of creation; remove the row last',
    run: async (cluster, { within, waitUntil }) => {
      const held = cluster.held()
      const node = await cluster.node({ tasks: [held.task, echoTask], worker: { slots: 10 } })
      const other = await cluster.node({ tasks: [held.task, echoTask], worker: false })
      // Created first, and ends last.
      const [slow, run] = await cluster.start(node, held)
      const old = await node.manager.submitMany(echoTask, [1, 2, 3, 4, 5])
      const ends = await within('every task ended', Promise.all(old.map((handle) => handle.finished())))
      for (const details of ends) await cluster.rowIs(details, node)
      const finishedBefore = Math.max(...ends.map(({ finishedAt = 0 }) => finishedAt)) + 1
      await waitUntil('the clock has advanced', () => Date.now() > finishedBefore)
      run.return()
      await cluster.rowIs(await cluster.finished(slow, node), node)
      same(await other.manager.purge({ finishedBefore }), { removed: 5, deferred: 0, unreadable: 0 }, 'what the purge returned')
      same(
        (await cluster.listed(node)).map(({ taskId }) => taskId),
        [slow.id],
        'the tasks that are listed after the purge',
      )
      for (const { id } of old) {
        failedWith(await outcomeOf(node.manager.history(id)), 'TASK_NOT_FOUND', 'the history of a purged task')
        cluster.forget(id)
      }
      same((await slow.details()).status, 'completed', 'the status of a task that finished late')
      same(await other.manager.purge({ finishedBefore }), { removed: 0, deferred: 0, unreadable: 0 }, 'what the second purge returned')
    },
  }),
  clustered({
    id: 'TM-6.10',
    kind: 'plain',
    title: 'a node that works reports so: it reaches the store, receives from the bus, holds its lease and gets waiting messages',
    hint: 'a node receives its own notices; the depth of a queue counts the waiting messages',
    run: async (cluster, { waitUntil, observe }) => {
      const node = await cluster.node({ tasks: [echoTask], lease: { renewMs: 200, ttlMs: 10_000 } })
      const handle = await node.manager.submit(echoTask, 'hello')
      await cluster.finished(handle, node)
      await waitUntil('the node is healthy', () => {
        const health = node.manager.health()
        observe(health)
        return health.ok
      })
      const { findings } = await node.manager.doctor()
      same(findings, [], 'the findings of the doctor')
    },
  }),
]
