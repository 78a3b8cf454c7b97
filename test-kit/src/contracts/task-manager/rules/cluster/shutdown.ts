import { codeOf } from '@taskledger/core'
import type { Rule } from '../../../../framework/rule.ts'
import type { Adapters } from '../../../../faults/adapters.ts'
import { clustered } from '../../stage/clustered.ts'
import { same } from '../../../expectations.ts'

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
      same(codeOf(run.signal.reason), 'SHUTTING_DOWN', 'why the signal of the body was aborted')
      const again = await cluster.running(handle, 2)
      same([again.attempt, again.lastProgress], [2, { done: 50 }], 'attempt and last progress of the run on another node')
      const seen = b.manager.task(handle.id)
      same(
        [(await seen.details()).node, (await seen.details()).attempt],
        [b.manager.nodeId, 2],
        'node and attempt of the task after the shutdown',
      )
      again.return('done elsewhere')
      same((await cluster.finished(handle, b)).result, 'done elsewhere', 'the result from another node')
      same(
        (await seen.history()).map(({ type }) => type),
        ['TaskCreated', 'TaskStarted', 'TaskReleased', 'TaskStarted', 'TaskCompleted'],
        'the events of the task',
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
      same((await front.manager.task(unwanted.id).cancel()).outcome, 'requested', 'the outcome of the cancel')
      unwantedRun.throw(unwantedRun.signal.reason)
      await within('the node closed', closed)
      same((await cluster.finished(quick, front)).result, 'in time', 'the result of a task that ended in time')
      same((await cluster.finished(unwanted, front)).status, 'cancelled', 'the status of a task that was cancelled before the shutdown')
      const { status, attempt } = await front.manager.task(stubborn.id).details()
      same([status, attempt], ['waiting', 1], 'status and attempt of a task that did not end in time')
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
        same([status, node], ['completed', b.manager.nodeId], 'status and node of a task that another node ran')
      }
    },
  }),
]
