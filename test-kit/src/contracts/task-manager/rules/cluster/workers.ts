import { declareTask, unchecked } from '@taskledger/core'
import type { JsonValue } from '@taskledger/core'
import type { Rule } from '../../../../framework/rule.ts'
import type { Adapters } from '../../../../faults/adapters.ts'
import { clustered, sortedIds } from '../../stage/clustered.ts'
import { echoTask } from '../../stage/echo-task.ts'
import { calls } from '../../../../faults/calls.ts'
import { outcomeOf } from '../../../outcome.ts'
import { failedWith, same } from '../../../expectations.ts'

/** Rules 1.x, continued: workers. */
export const workerRules: readonly Rule<Adapters>[] = [
  clustered({
    id: 'TM-1.15',
    kind: 'plain',
    title:
      'a front-end without a worker submits, lists, cancels and awaits, and runs nothing; with an attached worker it runs waiting tasks',
    hint: 'only a worker consumes from queues',
    run: async (cluster, { within }) => {
      const declared = declareTask({ type: 'echo', payload: unchecked<JsonValue>(), result: unchecked<JsonValue>() })
      const front = await cluster.node({ tasks: [declared], worker: false })
      same(front.manager.worker, undefined, 'the worker of a node without a worker')
      const handle = await front.manager.submit(declared, 'typed')
      const unwanted = await front.manager.submit(declared, 'unwanted')
      same((await unwanted.cancel()).outcome, 'cancelled', 'the outcome of a cancel before the start')

      const back = await cluster.node({ tasks: [echoTask], worker: false })
      same(sortedIds((await back.manager.list({ status: 'waiting' })).tasks), [handle.id], 'the list of waiting tasks')
      const result = front.manager.task(declared, handle.id).result()
      await back.manager.attachWorker({ slots: 1 })
      same(await within('the worker ran the task', result), 'typed', 'the result that the node without a worker got')
      same((await handle.details()).node, back.manager.nodeId, 'the node that ran the task')
    },
  }),
  clustered({
    id: 'TM-1.16',
    kind: 'plain',
    title:
      'a paused worker takes nothing while its running tasks continue; another node takes new tasks; a resumed worker takes its share again',
    hint: 'resize(0) takes no more, and returns fetched messages that have not begun',
    run: async (cluster, { waitUntil }) => {
      const held = cluster.held()
      const [a, b] = await cluster.nodes(2, { tasks: [held.task], worker: { slots: 2 } })
      const [running, run] = await cluster.start(a, held)
      const on = (await running.details()).node === a.manager.nodeId ? a : b
      const other = on === a ? b : a
      on.manager.worker?.pause()
      same(on.manager.worker?.status, 'paused', 'the status of the paused worker')
      const handles = [await on.manager.submit(held.task, 1), await on.manager.submit(held.task, 2)]
      for (const handle of handles) {
        await cluster.running(handle)
        same((await handle.details()).node, other.manager.nodeId, 'the node that ran a task while the other was paused')
      }
      const third = await on.manager.submit(held.task, 3)
      run.return('went on')
      same((await cluster.finished(running, a)).result, 'went on', 'the result of a task that ran when its worker was paused')
      on.manager.worker?.resume()
      await waitUntil('the resumed worker takes waiting tasks', () => held.find(third.id) !== undefined)
      same((await third.details()).node, on.manager.nodeId, 'the node that ran a task after the resume')
    },
  }),
  clustered({
    id: 'TM-1.17',
    kind: 'plain',
    title: 'a drained worker takes nothing more and resolves when its running tasks have ended; another node runs the waiting tasks',
    hint: 'close the consumer first, then wait for its handlers',
    run: async (cluster, { within }) => {
      const held = cluster.held()
      const a = await cluster.node({ tasks: [held.task], worker: { slots: 1 } })
      const [running, run] = await cluster.start(a, held)
      const waiting = await a.manager.submit(held.task, null)
      let isDrained = false
      const drained = a.manager.worker?.drain().then(() => (isDrained = true))
      const b = await cluster.node({ tasks: [held.task], worker: { slots: 1 } })
      await cluster.running(waiting)
      same((await waiting.details()).node, b.manager.nodeId, 'the node that ran a task which waited for the draining worker')
      same(isDrained, false, 'whether the worker has drained while a task still runs')
      run.return()
      await within('the worker is drained', Promise.resolve(drained))
      same(
        [(await running.details()).status, a.manager.worker?.running.length],
        ['completed', 0],
        'the status of the task, and how many tasks the drained worker runs',
      )
    },
  }),
  clustered({
    id: 'TM-1.18',
    kind: 'plain',
    title: 'closing a node rejects its waits and later calls with CLOSED, works twice, and leaves the tasks to other nodes',
    hint: 'wake the waiters when the node closes, and leave the tasks alone',
    run: async (cluster, { within, waitUntil }) => {
      const [a, b] = await cluster.nodes(2, { tasks: [echoTask], worker: false })
      const handle = await a.manager.submit(echoTask, 'kept')
      const hold = a.faults.hold('after', calls('events.read', handle.id))
      const waiting = [
        outcomeOf(handle.result()),
        outcomeOf(handle.finished({ timeoutMs: 600_000 })),
        outcomeOf(watchToTheEnd(handle.watch())),
      ]
      await waitUntil('the waits read the store', () => hold.caught === waiting.length)
      hold.release()
      // Now they have read the store, and wait for a notice.
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
      const elsewhere = b.manager.task(echoTask, handle.id).result()
      await within('the node closed', a.manager.close())
      await within('the node closes again', a.manager.close())
      for (const thrown of await within('every wait is rejected', Promise.all(waiting)))
        failedWith(thrown, 'CLOSED', 'a wait on a closed manager')
      const asked = [handle.details(), handle.cancel(), handle.result(), a.manager.list(), a.manager.nodes(), a.manager.submit(echoTask, 1)]
      for (const thrown of await within('every call is rejected', Promise.all(asked.map(outcomeOf))))
        failedWith(thrown, 'CLOSED', 'a call on a closed manager')
      await b.manager.attachWorker()
      same(await within('another node ran the task', elsewhere), 'kept', 'the result from another node')
    },
  }),
]

const watchToTheEnd = async (watch: AsyncIterable<unknown>): Promise<void> => {
  const iterator = watch[Symbol.asyncIterator]()
  while ((await iterator.next()).done !== true);
}
