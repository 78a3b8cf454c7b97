import { codeOf, defineTask, isTaskCancelled } from '@taskledger/core'
import type { Rule } from '../../../../framework/rule.ts'
import type { Adapters } from '../../../../faults/adapters.ts'
import { clustered } from '../../stage/clustered.ts'
import { echoTask } from '../../stage/echo-task.ts'
import { outcomeOf } from '../../../outcome.ts'
import { holds, same } from '../../../expectations.ts'

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
      same([outcome, details.status], ['requested', 'cancelRequested'], 'the outcome of the cancel, the status of the task')
      await waitUntil('the signal of the body is aborted', () => run.signal.aborted)
      same(codeOf(run.signal.reason), 'CANCEL_REQUESTED', 'why the signal of the body was aborted')
      holds(
        /somebody.*wrong mailbox/.test(String(run.signal.reason)),
        `the reason of the signal names neither who cancelled nor why: ${String(run.signal.reason)}`,
      )
      const ended = await cluster.finished(handle, node)
      const { status, cancelRequestedBy, cancelReason, cancelRequestedAt, finishedAt } = ended
      same(
        [status, cancelRequestedBy, cancelReason],
        ['cancelled', 'somebody', 'wrong mailbox'],
        'the status of the task, who cancelled it and why',
      )
      holds(
        cancelRequestedAt !== undefined && finishedAt !== undefined && finishedAt >= cancelRequestedAt,
        `the cancel was requested at ${cancelRequestedAt}, the task finished at ${finishedAt}: not in that order`,
      )
      const thrown = await within('the wait for the result ended', outcomeOf(handle.result()))
      holds(isTaskCancelled(thrown), `the wait for the result of a cancelled task ended with ${String(thrown)}`)
      same(
        (await handle.history()).map(({ type }) => type),
        ['TaskCreated', 'TaskStarted', 'TaskCancelRequested', 'TaskCancelled'],
        'the events of the cancelled task',
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
        same(
          (await cluster.finished(handle, node)).status,
          'cancelled',
          'the status of a task whose body ended when its signal was aborted',
        )
        steps.push(`${task.type} ended`)
      }
      same(steps, ['waiting began', 'waiting ended', 'ticking began', 'ticking ended'], 'the steps of the bodies')
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
      same(
        [outcome, details.status, details.cancelReason, details.attempt],
        ['cancelled', 'cancelled', 'never mind', 0],
        'the outcome of the cancel, and status, reason and attempt of the task',
      )
      same(await unwanted.details(), details, 'the details after the cancel, beside those that the cancel returned')
      same((await manager.list({ status: 'cancelled' })).tasks, [details], 'the list of cancelled tasks')
      same(
        (await unwanted.history()).map(({ type }) => type),
        ['TaskCreated', 'TaskCancelRequested', 'TaskCancelled'],
        'the events of a task that was cancelled before it began',
      )
      // A task that was submitted later runs: this one would have run before it.
      blocker.return()
      ;(await cluster.running(last)).return()
      await cluster.finished(last, node)
      same(held.find(unwanted.id), undefined, 'the run of the cancelled task')
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
        same(details.status, ending, 'the status of the finished task')
        same(await handle.cancel(), { outcome: 'finished', details }, 'what a cancel of a finished task returns')
        same(await handle.details(), details, 'the details of a finished task after a cancel')
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
      same((await handle.cancel({ reason: 'first' })).outcome, 'requested', 'the outcome of the first cancel of a running task')
      same((await handle.cancel({ reason: 'second' })).outcome, 'requested', 'the outcome of the second cancel of a running task')
      const waiting = await node.manager.submit(deaf.task, null)
      for (let time = 0; time < 2; time++)
        same((await waiting.cancel()).outcome, 'cancelled', `the outcome of cancel ${time + 1} of a waiting task`)
      await waitUntil('the signal of the body is aborted', () => run.signal.aborted)
      run.throw(run.signal.reason)
      const { status, cancelReason } = await cluster.finished(handle, node)
      same([status, cancelReason], ['cancelled', 'first'], 'the status of the task, and the reason of the first cancel')
      same((await handle.cancel({ reason: 'third' })).outcome, 'cancelled', 'the outcome of a cancel after the end')
      const requests = (await handle.history()).filter(({ type }) => type === 'TaskCancelRequested')
      same(requests.length, 1, 'the number of cancel requests in the history')
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
      same(
        [details.status, details.abandoned, details.progress?.value],
        ['cancelled', true, 'before'],
        'status, abandonment and progress of a task whose body ignores its signal',
      )
      const [next, nextRun] = await cluster.start(node, deaf)
      run.progress('after')
      run.return('too late')
      nextRun.return('in time')
      same((await cluster.finished(next, node)).result, 'in time', 'the result of the next task on that node')
      await waitUntil('nothing runs', () => node.manager.worker?.running.length === 0)
      same(await handle.details(), details, 'the details after the abandoned body reported more')
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
      for (const handle of [completing, cleaning]) same((await handle.cancel()).outcome, 'requested', 'the outcome of the cancel')
      await waitUntil('both signals are aborted', () => returning.signal.aborted && throwing.signal.aborted)
      returning.return('done all the same')
      throwing.throw(new Error('could not clean up'))
      const completed = await cluster.finished(completing, node)
      same(
        [completed.status, completed.result],
        ['completed', 'done all the same'],
        'status and result of a task that completed in spite of its cancel',
      )
      const cancelled = await cluster.finished(cleaning, node)
      same(
        [cancelled.status, cancelled.error?.message],
        ['cancelled', 'could not clean up'],
        'status and error of a cancelled task that could not clean up',
      )
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
        same((await handle.cancel()).outcome, 'cancelled', 'the outcome of a cancel between two attempts')
        await cluster.send({ taskId: handle.id })
      }
      // Sent after the two, for the only slot.
      const last = await manager.submit(echoTask, 'last')
      await cluster.finished(last, node)
      same(held.runs.length, 1, 'how many bodies ran, after the cancels')
      for (const handle of [failing, early])
        same((await handle.details()).status, 'cancelled', 'the status of a task that was cancelled between two attempts')
    },
  }),
]
