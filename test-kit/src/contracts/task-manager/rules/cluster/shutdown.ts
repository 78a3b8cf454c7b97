import assert from 'node:assert/strict'
import { codeOf } from '@taskledger/core'
import type { Rule } from '../../../../framework/rule.ts'
import type { Adapters } from '../../../../faults/adapters.ts'
import { clustered } from '../../stage/clustered.ts'

/** Rules 3.x, continued: shutdown. */
export const shutdownRules: readonly Rule<Adapters>[] = [
  clustered({
    id: 'TM-3.18',
    kind: 'plain',
    title:
      'a node that shuts down hands back its running tasks: another node runs them as a next attempt that does not count, with the last progress',
    hint: 'append TaskReleased, then send a message; the release is not a failure, and the last report is saved before it',
    run: async (cluster, { within, waitUntil }) => {
      const held = cluster.held({ retry: { maxAttempts: 1, maxCrashes: 0 } })
      const a = await cluster.node({ tasks: [held.task] })
      const [handle, run] = await cluster.start(a, held)
      for (let done = 1; done <= 50; done++) run.progress({ done })
      const b = await cluster.node({ tasks: [held.task] })
      await within('the node closed', a.manager.close({ drainMs: 0 }))
      assert.equal(codeOf(run.signal.reason), 'SHUTTING_DOWN')
      const again = await cluster.running(handle, 2)
      assert.deepEqual([again.attempt, again.lastProgress], [2, { done: 50 }])
      const seen = b.manager.task(handle.id)
      assert.deepEqual([(await seen.details()).node, (await seen.details()).attempt], [b.manager.nodeId, 2])
      again.return('done elsewhere')
      assert.equal((await cluster.finished(handle, b)).result, 'done elsewhere')
      assert.deepEqual(
        (await seen.history()).map(({ type }) => type),
        ['TaskCreated', 'TaskStarted', 'TaskReleased', 'TaskStarted', 'TaskCompleted'],
      )
      await waitUntil('nothing runs', () => b.manager.worker?.running.length === 0)
    },
  }),
  clustered({
    id: 'TM-3.19',
    kind: 'plain',
    title:
      'a node that shuts down waits for tasks that end in time, cancels requested tasks, and leaves behind a body that ignores its signal',
    hint: 'drain, then abort, then wait for the grace period; a release of a task with a cancel request is its cancellation',
    run: async (cluster, { within, waitUntil }) => {
      const deaf = cluster.held({ heeds: false })
      const a = await cluster.node({ tasks: [deaf.task], worker: { cancelGraceMs: 4_000, slots: 3 } })
      const front = await cluster.node({ tasks: [deaf.task], worker: false })
      const [quick, quickRun] = await cluster.start(a, deaf, 'quick')
      const [unwanted, unwantedRun] = await cluster.start(a, deaf, 'unwanted')
      const [stubborn, stubbornRun] = await cluster.start(a, deaf, 'stubborn')
      const closed = a.manager.close({ drainMs: 60 })
      quickRun.return('in time')
      await waitUntil('the bodies are aborted', () => stubbornRun.signal.aborted && unwantedRun.signal.aborted)
      assert.equal((await front.manager.task(unwanted.id).cancel()).outcome, 'requested')
      unwantedRun.throw(unwantedRun.signal.reason)
      await within('the node closed', closed)
      assert.equal((await cluster.finished(quick, front)).result, 'in time')
      assert.equal((await cluster.finished(unwanted, front)).status, 'cancelled')
      const { status, attempt } = await front.manager.task(stubborn.id).details()
      assert.deepEqual([status, attempt], ['waiting', 1])
    },
  }),
  clustered({
    id: 'TM-3.20',
    kind: 'plain',
    title: 'when a node has closed, another node runs what remains: tasks that waited behind it, and tasks submitted later',
    hint: 'return fetched messages that have not begun to the queue',
    run: async (cluster, { within }) => {
      const held = cluster.held()
      const a = await cluster.node({ tasks: [held.task], worker: { slots: 1 } })
      const b = await cluster.node({ tasks: [held.task], worker: false })
      const [first] = await cluster.start(a, held)
      const waiting = [await a.manager.submit(held.task, 1), await b.manager.submit(held.task, 2)]
      await within('the node closed', a.manager.close())
      await b.manager.attachWorker({ slots: 1 })
      const late = await b.manager.submit(held.task, 3)
      held.end()
      for (const handle of [first, ...waiting, late]) {
        const { status, node } = await cluster.finished(handle, b)
        assert.deepEqual([status, node], ['completed', b.manager.nodeId])
      }
    },
  }),
]
