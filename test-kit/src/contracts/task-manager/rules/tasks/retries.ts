import { codeOf, defineTask, NonRetryableError, unchecked } from '@taskledger/core'
import type { Rule } from '../../../../framework/rule.ts'
import type { Adapters } from '../../../../faults/adapters.ts'
import { clustered } from '../../stage/clustered.ts'
import { echoTask } from '../../stage/echo-task.ts'
import { holds, same } from '../../../expectations.ts'

/** Rules 4.x: retries and their times. */
export const retryRules: readonly Rule<Adapters>[] = [
  clustered({
    id: 'TM-4.1',
    kind: 'plain',
    title:
      'a task that fails runs again as its policy says, not before its back-off has passed, and waits until then; its success is final',
    hint: 'append TaskFailed with retryAt, and send a message when that time has come',
    run: async (cluster) => {
      const held = cluster.held({ retry: { maxAttempts: 3, backoff: { initialMs: 40, factor: 2, jitter: 0 } } })
      const node = await cluster.node({ tasks: [held.task] })
      const [handle, first] = await cluster.start(node, held)
      node.manager.worker?.pause()
      first.throw(new Error('once'))
      await cluster.status(handle, 'waiting', node)
      const { dueAt, error, attempt } = await handle.details()
      same([error?.message, attempt], ['once', 1], 'error and attempt of a task that waits for its next attempt')
      holds(dueAt !== undefined, 'a task that waits for its next attempt is due at no time')
      node.manager.worker?.resume()
      ;(await cluster.running(handle, 2)).throw(new Error('twice'))
      ;(await cluster.running(handle, 3)).return('at last')
      const end = await cluster.finished(handle, node)
      same(
        [end.status, end.attempt, end.result, end.error, end.dueAt],
        ['completed', 3, 'at last', undefined, undefined],
        'status, attempt, result, error and due time of the task',
      )
      const history = await handle.history()
      const failures = history.filter((event) => event.type === 'TaskFailed')
      same(
        failures.map(({ attempt, at, retryAt = 0 }) => [attempt, retryAt - at]),
        [
          [1, 40],
          [2, 80],
        ],
        'attempt and delay of each failure',
      )
      for (const failure of failures) {
        const next = history[failure.version]
        holds(next?.type === 'TaskStarted' && next.at >= (failure.retryAt ?? 0), 'the attempt started before its time')
      }
    },
  }),
  clustered({
    id: 'TM-4.2',
    kind: 'plain',
    title: 'a task without attempts left has failed with its last error; so has a task with an error that forbids retries',
    hint: 'TaskCreated contains the policy; a NonRetryableError never has a retryAt',
    run: async (cluster) => {
      const held = cluster.held({ retry: { maxAttempts: 3, backoff: { initialMs: 1, jitter: 0 } } })
      const node = await cluster.node({ tasks: [held.task] })
      const [handle, first] = await cluster.start(node, held)
      first.throw(new Error('1'))
      ;(await cluster.running(handle, 2)).throw(new Error('2'))
      ;(await cluster.running(handle, 3)).throw(new Error('3'))
      const end = await cluster.finished(handle, node)
      same([end.status, end.attempt, end.error?.message], ['failed', 3, '3'], 'status, attempt and error of a task that fails each time')
      const [hopeless, run] = await cluster.start(node, held)
      run.throw(new NonRetryableError('the mailbox is gone'))
      const { status, attempt, error } = await cluster.finished(hopeless, node)
      same(
        [status, attempt, error?.message],
        ['failed', 1, 'the mailbox is gone'],
        'status, attempt and error of a task that must not be retried',
      )
      same(held.runs.length, 4, 'how many bodies ran')
    },
  }),
  clustered({
    id: 'TM-4.3',
    kind: 'plain',
    title: 'the next attempt gets the last progress of the previous one, also on another node; the first attempt gets none',
    hint: 'the progress is in TaskFailed, or beside the history if the attempt reported nothing more',
    run: async (cluster) => {
      const held = cluster.held({ retry: { maxAttempts: 3, backoff: { initialMs: 1, jitter: 0 } } })
      const [a, b] = await cluster.nodes(2, { tasks: [held.task] })
      b.manager.worker?.pause()
      const [handle, first] = await cluster.start(a, held)
      for (let done = 1; done <= 20; done++) first.progress({ done })
      a.manager.worker?.pause()
      first.throw(new Error('once'))
      await cluster.status(handle, 'waiting', a)
      b.manager.worker?.resume()
      const second = await cluster.running(handle, 2)
      same([first.lastProgress, second.lastProgress], [undefined, { done: 20 }], 'the last progress that the first two runs were given')
      // An attempt that reports nothing passes on the progress that it got.
      second.throw(new Error('twice'))
      const third = await cluster.running(handle, 3)
      same(third.lastProgress, { done: 20 }, 'the last progress that the third run was given')
      third.return()
      const { progress, node } = await cluster.finished(handle, a)
      same([progress?.value, node], [{ done: 20 }, b.manager.nodeId], 'progress and node of the task')
    },
  }),
  clustered({
    id: 'TM-4.4',
    kind: 'plain',
    title: 'an attempt that exceeds its timeout is aborted and has failed as timed out; the next attempt has its full time',
    hint: 'the timeout belongs to the attempt, not to the task',
    run: async (cluster, { waitUntil }) => {
      const held = cluster.held({ timeoutMs: 50, retry: { maxAttempts: 2, backoff: { initialMs: 1, jitter: 0 } } })
      const node = await cluster.node({ tasks: [held.task] })
      const [handle, first] = await cluster.start(node, held)
      await waitUntil('the signal of the body is aborted', () => first.signal.aborted)
      same(codeOf(first.signal.reason), 'TIMED_OUT', 'why the signal of the body was aborted')
      const second = await cluster.running(handle, 2)
      await waitUntil('the signal of the second body is aborted', () => second.signal.aborted)
      const { status, attempt, error } = await cluster.finished(handle, node)
      same([status, attempt, error?.code], ['failed', 2, 'TIMED_OUT'], 'status, attempt and error code of a task that timed out')
      for (const event of await handle.history())
        if (event.type === 'TaskFailed') {
          const started = (await handle.history())[event.version - 2]
          holds(started !== undefined && event.at - started.at >= 45, 'the attempt was aborted before its timeout')
        }
    },
  }),
  clustered({
    id: 'TM-4.5',
    kind: 'plain',
    title: 'a body that ignores its timeout is abandoned after its grace period: the failure is final, and no second body runs beside it',
    hint: 'do not retry: the abandoned body may still act, and a second attempt would do the same work twice',
    run: async (cluster) => {
      const deaf = cluster.held({ heeds: false, timeoutMs: 20, retry: { maxAttempts: 5, backoff: { initialMs: 1 } } })
      const node = await cluster.node({ tasks: [deaf.task, echoTask], worker: { slots: 1, cancelGraceMs: 20 } })
      const [handle, run] = await cluster.start(node, deaf)
      const details = await cluster.finished(handle, node)
      same([details.status, details.attempt], ['failed', 1], 'status and attempt of a task whose body ignored its timeout')
      holds(
        /may still run/.test(details.error?.message ?? ''),
        `the error does not say that the body may still run: ${details.error?.message}`,
      )
      run.return('too late')
      const next = await node.manager.submit(echoTask, 'next')
      same((await cluster.finished(next, node)).result, 'next', 'the result of the next task')
      same(await handle.details(), details, 'the details after the abandoned body ended')
      same(deaf.runs.length, 1, 'how many bodies ran')
    },
  }),
  clustered({
    id: 'TM-4.6',
    kind: 'plain',
    title: 'a task does not start before its time, whichever message arrives earlier, and starts when its time has come',
    hint: 'refuse the claim as not due, and send the message again when the task is due',
    run: async (cluster, { within }) => {
      const held = cluster.held()
      const front = await cluster.node({ tasks: [held.task], worker: false })
      const worker = await cluster.node({ tasks: [held.task], worker: { slots: 2 } })
      const notBefore = Date.now() + 1_000
      const handle = await front.manager.submit(held.task, null, { notBefore: new Date(notBefore) })
      const { status, dueAt } = await handle.details()
      if (Date.now() < notBefore) same([status, dueAt], ['waiting', notBefore], 'status and due time of a task before its time')
      // As a node that closes sends it: with the time that is left.
      const early = { taskId: handle.id, dueInMs: Math.max(1, notBefore - Date.now()) }
      await cluster.send(early)
      await cluster.send(early)
      // Sent after the two: when it runs, they have been handled.
      const [later, laterRun] = await cluster.start(worker, held)
      laterRun.return()
      await cluster.finished(later, front)
      // The node that got the message early keeps it: the submitter may be gone by then.
      await within('the node that submitted it closed', front.manager.close())
      const run = await cluster.running(handle)
      holds(Date.now() >= notBefore, 'the attempt started before its time')
      run.return()
      const { startedAt = 0, dueAt: noLonger } = await cluster.finished(handle, worker)
      holds(startedAt >= notBefore, `the task was started at ${startedAt}, before its time ${notBefore}`)
      same(noLonger, undefined, 'the due time of a task that ran')
      same(held.runs.length, 2, 'how many bodies ran')
    },
  }),
  clustered({
    id: 'TM-4.7',
    kind: 'plain',
    title: 'a result that cannot be stored fails the task without a retry',
    hint: 'check the result before appending TaskCompleted',
    run: async (cluster) => {
      const results: readonly (readonly [unknown, string])[] = [
        [{ count: 1n }, 'NOT_JSON'],
        [new Map(), 'NOT_JSON'],
        ['x'.repeat(2 ** 23), 'TOO_LARGE'],
      ]
      const task = defineTask({
        type: 'unkeepable',
        payload: unchecked<number>(),
        retry: { maxAttempts: 3, backoff: { initialMs: 1 } },
        run: ({ payload }) => results[payload]?.[0],
      })
      const node = await cluster.node({ tasks: [task] })
      for (const [index, [, code]] of results.entries()) {
        const handle = await node.manager.submit(task, index)
        const { status, error, attempt } = await cluster.finished(handle, node)
        same([status, error?.code, attempt], ['failed', code, 1], 'status, error code and attempt of the task')
      }
    },
  }),
]
