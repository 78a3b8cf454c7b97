import assert from 'node:assert/strict'
import { declareTask, hasCode, unchecked } from '@taskledger/core'
import type { JsonValue } from '@taskledger/core'
import type { Rule } from '../../../../framework/rule.ts'
import type { Adapters } from '../../../../faults/adapters.ts'
import { clustered, sortedIds } from '../../stage/clustered.ts'
import { echoTask } from '../../stage/echo-task.ts'
import { calls } from '../../../../faults/calls.ts'
import { outcomeOf } from '../../../outcome.ts'

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
      assert.equal(front.manager.worker, undefined)
      const handle = await front.manager.submit(declared, 'typed')
      const unwanted = await front.manager.submit(declared, 'unwanted')
      assert.equal((await unwanted.cancel()).outcome, 'cancelled')

      const back = await cluster.node({ tasks: [echoTask], worker: false })
      assert.deepEqual(sortedIds((await back.manager.list({ status: 'waiting' })).tasks), [handle.id])
      const result = front.manager.task(declared, handle.id).result()
      await back.manager.attachWorker({ slots: 1 })
      assert.equal(await within('the worker ran the task', result), 'typed')
      assert.deepEqual((await handle.details()).node, back.manager.nodeId)
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
      assert.equal(on.manager.worker?.status, 'paused')
      const handles = [await on.manager.submit(held.task, 1), await on.manager.submit(held.task, 2)]
      for (const handle of handles) {
        await cluster.running(handle)
        assert.equal((await handle.details()).node, other.manager.nodeId)
      }
      const third = await on.manager.submit(held.task, 3)
      run.return('went on')
      assert.equal((await cluster.finished(running, a)).result, 'went on')
      on.manager.worker?.resume()
      await waitUntil('the resumed worker takes waiting tasks', () => held.find(third.id) !== undefined)
      assert.equal((await third.details()).node, on.manager.nodeId)
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
      assert.equal((await waiting.details()).node, b.manager.nodeId)
      assert.equal(isDrained, false, 'the worker drained although a task still runs')
      run.return()
      await within('the worker is drained', Promise.resolve(drained))
      assert.deepEqual([(await running.details()).status, a.manager.worker?.running.length], ['completed', 0])
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
        assert.ok(hasCode(thrown, 'CLOSED'), String(thrown))
      const asked = [handle.details(), handle.cancel(), handle.result(), a.manager.list(), a.manager.nodes(), a.manager.submit(echoTask, 1)]
      for (const thrown of await within('every call is rejected', Promise.all(asked.map(outcomeOf))))
        assert.ok(hasCode(thrown, 'CLOSED'), String(thrown))
      await b.manager.attachWorker()
      assert.equal(await within('another node ran the task', elsewhere), 'kept')
    },
  }),
]

const watchToTheEnd = async (watch: AsyncIterable<unknown>): Promise<void> => {
  const iterator = watch[Symbol.asyncIterator]()
  while ((await iterator.next()).done !== true);
}
