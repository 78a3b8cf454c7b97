import assert from 'node:assert/strict'
import { codeOf, defineTask, isTaskCancelled } from '@taskledger/core'
import type { Rule } from '../../../../framework/rule.ts'
import type { Adapters } from '../../../../faults/adapters.ts'
import { clustered } from '../../stage/clustered.ts'
import { echoTask } from '../../stage/echo-task.ts'
import { outcomeOf } from '../../../outcome.ts'

/** Rules 2.x: cancellation. */
export const cancelRules: readonly Rule<Adapters>[] = [
  clustered({
    id: 'TM-2.1',
    kind: 'plain',
    title: 'cancelling a running task aborts its signal with the reason, and the task ends as cancelled, with the caller and the reason',
    hint: 'append TaskCancelRequested and publish a notice; the node that runs the task reads the history',
    run: async (cluster, { within, waitUntil }) => {
      const held = cluster.held()
      const node = await cluster.node({ tasks: [held.task] })
      const [handle, run] = await cluster.start(node, held)
      const { outcome, details } = await handle.cancel({ reason: 'wrong mailbox', by: 'somebody' })
      assert.deepEqual([outcome, details.status], ['requested', 'cancelRequested'])
      await waitUntil('the signal of the body is aborted', () => run.signal.aborted)
      assert.equal(codeOf(run.signal.reason), 'CANCEL_REQUESTED')
      assert.match(String(run.signal.reason), /somebody.*wrong mailbox/)
      const ended = await cluster.finished(handle, node)
      const { status, cancelRequestedBy, cancelReason, cancelRequestedAt, finishedAt } = ended
      assert.deepEqual([status, cancelRequestedBy, cancelReason], ['cancelled', 'somebody', 'wrong mailbox'])
      assert.ok(cancelRequestedAt !== undefined && finishedAt !== undefined && finishedAt >= cancelRequestedAt)
      const thrown = await within('the wait for the result ended', outcomeOf(handle.result()))
      assert.ok(isTaskCancelled(thrown), String(thrown))
      assert.deepEqual(
        (await handle.history()).map(({ type }) => type),
        ['TaskCreated', 'TaskStarted', 'TaskCancelRequested', 'TaskCancelled'],
      )
    },
  }),
  clustered({
    id: 'TM-2.2',
    kind: 'plain',
    title: 'code after the point where a body was interrupted never runs, whether the body was waiting or between two steps',
    hint: 'wait for the end of the body before appending TaskCancelled',
    run: async (cluster) => {
      const steps: string[] = []
      const abortOf = (signal: AbortSignal): Promise<never> =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }))
      const waiting = defineTask({
        type: 'waiting',
        run: async ({ signal }) => {
          steps.push('waiting began')
          await abortOf(signal)
          steps.push('code after the wait ran')
        },
      })
      const ticking = defineTask({
        type: 'ticking',
        run: async ({ signal }) => {
          steps.push('ticking began')
          for (;;) {
            signal.throwIfAborted()
            if (steps.includes('ticking ended')) steps.push('code after the end ran')
            await new Promise((resolve) => setImmediate(resolve))
          }
        },
      })
      const node = await cluster.node({ tasks: [waiting, ticking] })
      for (const task of [waiting, ticking]) {
        const handle = await node.manager.submit(task)
        await cluster.status(handle, 'inProgress', node)
        await handle.cancel()
        assert.equal((await cluster.finished(handle, node)).status, 'cancelled')
        steps.push(`${task.type} ended`)
      }
      assert.deepEqual(steps, ['waiting began', 'waiting ended', 'ticking began', 'ticking ended'])
    },
  }),
  clustered({
    id: 'TM-2.3',
    kind: 'plain',
    title: 'cancelling a waiting task takes effect at once, in its details and in the list, and the task never runs',
    hint: 'append request and cancellation together, and refuse the message of the task when it arrives',
    run: async (cluster) => {
      const held = cluster.held()
      const node = await cluster.node({ tasks: [held.task], worker: { slots: 1 } })
      const { manager } = node
      const [, blocker] = await cluster.start(node, held)
      const unwanted = await manager.submit(held.task, 'unwanted')
      const last = await manager.submit(held.task, 'last')
      const { outcome, details } = await unwanted.cancel({ reason: 'never mind' })
      assert.deepEqual([outcome, details.status, details.cancelReason, details.attempt], ['cancelled', 'cancelled', 'never mind', 0])
      assert.deepEqual(await unwanted.details(), details)
      assert.deepEqual((await manager.list({ status: 'cancelled' })).tasks, [details])
      assert.deepEqual(
        (await unwanted.history()).map(({ type }) => type),
        ['TaskCreated', 'TaskCancelRequested', 'TaskCancelled'],
      )
      // A task that was submitted later runs: this one would have run before it.
      blocker.return()
      ;(await cluster.running(last)).return()
      await cluster.finished(last, node)
      assert.equal(held.find(unwanted.id), undefined, 'the cancelled task ran')
    },
  }),
  clustered({
    id: 'TM-2.4',
    kind: 'plain',
    title: 'a task that has ended is not cancelled: it keeps its end, and the caller is told so',
    hint: 'a final status never changes',
    run: async (cluster) => {
      const held = cluster.held()
      const node = await cluster.node({ tasks: [held.task] })
      for (const ending of ['completed', 'failed'] as const) {
        const [handle, run] = await cluster.start(node, held)
        if (ending === 'completed') run.return()
        else run.throw(new Error('no'))
        const details = await cluster.finished(handle, node)
        assert.equal(details.status, ending)
        assert.deepEqual(await handle.cancel(), { outcome: 'finished', details })
        assert.deepEqual(await handle.details(), details)
      }
    },
  }),
  clustered({
    id: 'TM-2.5',
    kind: 'plain',
    title: 'cancelling again works: while the body stops, after it has stopped, and for a task that was waiting; the first request counts',
    hint: 'append nothing if there already is a request',
    run: async (cluster, { waitUntil }) => {
      const deaf = cluster.held({ heeds: false })
      const node = await cluster.node({ tasks: [deaf.task], worker: { slots: 1, cancelGraceMs: 60_000 } })
      const [handle, run] = await cluster.start(node, deaf)
      assert.equal((await handle.cancel({ reason: 'first' })).outcome, 'requested')
      assert.equal((await handle.cancel({ reason: 'second' })).outcome, 'requested')
      const waiting = await node.manager.submit(deaf.task, null)
      for (let time = 0; time < 2; time++) assert.equal((await waiting.cancel()).outcome, 'cancelled')
      await waitUntil('the signal of the body is aborted', () => run.signal.aborted)
      run.throw(run.signal.reason)
      const { status, cancelReason } = await cluster.finished(handle, node)
      assert.deepEqual([status, cancelReason], ['cancelled', 'first'])
      assert.equal((await handle.cancel({ reason: 'third' })).outcome, 'cancelled')
      const requests = (await handle.history()).filter(({ type }) => type === 'TaskCancelRequested')
      assert.equal(requests.length, 1)
    },
  }),
  clustered({
    id: 'TM-2.6',
    kind: 'plain',
    title:
      'a body that ignores its signal is abandoned after its grace period: its slot is free, and whatever it does later changes nothing',
    hint: 'append TaskCancelled with abandoned; later results and reports of the body belong to no attempt',
    run: async (cluster, { waitUntil }) => {
      const deaf = cluster.held({ heeds: false })
      const node = await cluster.node({ tasks: [deaf.task], worker: { slots: 1, cancelGraceMs: 30 } })
      const [handle, run] = await cluster.start(node, deaf)
      run.progress('before')
      await handle.cancel()
      const details = await cluster.finished(handle, node)
      assert.deepEqual([details.status, details.abandoned, details.progress?.value], ['cancelled', true, 'before'])
      const [next, nextRun] = await cluster.start(node, deaf)
      run.progress('after')
      run.return('too late')
      nextRun.return('in time')
      assert.equal((await cluster.finished(next, node)).result, 'in time')
      await waitUntil('nothing runs', () => node.manager.worker?.running.length === 0)
      assert.deepEqual(await handle.details(), details)
      await cluster.rowIs(details, node)
    },
  }),
  clustered({
    id: 'TM-2.7',
    kind: 'plain',
    title:
      'a body that returns despite the cancel request completes its task; a body that throws its own error is cancelled, with the error kept',
    hint: 'only the end of the body decides which of the two happened',
    run: async (cluster, { waitUntil }) => {
      const deaf = cluster.held({ heeds: false })
      const node = await cluster.node({ tasks: [deaf.task], worker: { cancelGraceMs: 60_000 } })
      const [completing, returning] = await cluster.start(node, deaf)
      const [cleaning, throwing] = await cluster.start(node, deaf)
      for (const handle of [completing, cleaning]) assert.equal((await handle.cancel()).outcome, 'requested')
      await waitUntil('both signals are aborted', () => returning.signal.aborted && throwing.signal.aborted)
      returning.return('done all the same')
      throwing.throw(new Error('could not clean up'))
      const completed = await cluster.finished(completing, node)
      assert.deepEqual([completed.status, completed.result], ['completed', 'done all the same'])
      const cancelled = await cluster.finished(cleaning, node)
      assert.deepEqual([cancelled.status, cancelled.error?.message], ['cancelled', 'could not clean up'])
    },
  }),
  clustered({
    id: 'TM-2.8',
    kind: 'plain',
    title:
      'a task that waits for its next attempt or for its start time is cancelled at once, like any waiting task, and does not run again',
    hint: 'refuse the message that arrives when the task is due, because the history is final',
    run: async (cluster) => {
      const held = cluster.held({ retry: { maxAttempts: 2, backoff: { initialMs: 3_600_000 } } })
      const node = await cluster.node({ tasks: [held.task, echoTask], worker: { slots: 1 } })
      const { manager } = node
      const [failing, run] = await cluster.start(node, held)
      run.throw(new Error('once'))
      await cluster.status(failing, 'waiting', node)
      const early = await manager.submit(held.task, 'early', { notBefore: Date.now() + 3_600_000 })
      for (const handle of [failing, early]) {
        assert.equal((await handle.cancel()).outcome, 'cancelled')
        await cluster.send({ taskId: handle.id })
      }
      // Sent after the two, for the only slot.
      const last = await manager.submit(echoTask, 'last')
      await cluster.finished(last, node)
      assert.equal(held.runs.length, 1, 'a cancelled task ran again')
      for (const handle of [failing, early]) assert.equal((await handle.details()).status, 'cancelled')
    },
  }),
]
