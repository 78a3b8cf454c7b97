import type { TaskDetails, TaskEvent } from '@taskledger/core'
import { codeOf, defineTask, isTaskFailed } from '@taskledger/core'
import type { Rule } from '../../../../framework/rule.ts'
import { awkwardValues, freshTaskId } from '../../../sample-data.ts'
import type { Adapters } from '../../../../faults/adapters.ts'
import { clustered } from '../../stage/clustered.ts'
import { echoTask } from '../../stage/echo-task.ts'
import { outcomeOf } from '../../../outcome.ts'
import { failedWith, holds, same } from '../../../expectations.ts'

const typesOf = (history: readonly TaskEvent[]): readonly string[] => history.map(({ type }) => type)

/** Rules 1.x: the life of a task on one node. */
export const lifeRules: readonly Rule<Adapters>[] = [
  clustered({
    id: 'TM-1.1',
    kind: 'plain',
    title: 'a submitted task exists at once: its details, its history and its row say what was submitted, and on which node',
    hint: 'resolve a submit once history and row are durable, not earlier',
    run: async (cluster) => {
      const node = await cluster.node({ tasks: [echoTask], worker: false })
      const { manager } = node
      const before = Date.now()
      const handle = await manager.submit(echoTask, { mailbox: 'inbox' }, { labels: ['nightly'] })
      const details = await handle.details()
      const { createdAt, updatedAt, ...rest } = details
      same(
        rest,
        {
          taskId: handle.id,
          type: 'echo',
          typeVersion: 1,
          status: 'waiting',
          version: 1,
          queue: 'default',
          labels: ['nightly'],
          createdOn: manager.nodeId,
          updatedOn: manager.nodeId,
          attempt: 0,
        },
        'the details of the submitted task',
      )
      holds(
        createdAt >= before && createdAt <= Date.now() && updatedAt === createdAt,
        `createdAt ${createdAt} and updatedAt ${updatedAt} are not the time of the submit`,
      )
      same(await cluster.listed(node), [details], 'the list of tasks')
      const [created, ...others] = await handle.history()
      holds(created?.type === 'TaskCreated', `the first event is ${created?.type}`)
      same(
        [created.node, created.task, others],
        [manager.nodeId, { type: 'echo', version: 1, payload: { mailbox: 'inbox' } }, []],
        'node and task of the first event, and the events after it',
      )
    },
  }),
  clustered({
    id: 'TM-1.2',
    kind: 'plain',
    title: 'a task that was never submitted is not found by any call, and a malformed id is refused as malformed',
    hint: 'an empty history means that there is no such task: do not wait for it, and append nothing to it',
    run: async (cluster, { within }) => {
      const { manager } = await cluster.node({ tasks: [echoTask] })
      const unknown = manager.task(freshTaskId())
      const questions = {
        details: () => unknown.details(),
        progress: () => unknown.progress(),
        history: () => unknown.history(),
        result: () => unknown.result(),
        finished: () => unknown.finished({ timeoutMs: 60_000 }),
        watch: () => unknown.watch().next(),
        cancel: () => unknown.cancel(),
      }
      for (const [question, ask] of Object.entries(questions)) {
        const thrown = await within(`${question} of an unknown task ended`, outcomeOf(ask()))
        failedWith(thrown, 'TASK_NOT_FOUND', `${question} of an unknown task`)
      }
      same(await (await cluster.outside()).storage.events.read(unknown.id), [], 'the history of an unknown task')
      for (const id of ['', 'unknown', unknown.id.toUpperCase(), `${unknown.id} `])
        failedWith(await outcomeOf((async () => manager.task(id).details())()), 'INVALID_TASK_ID', 'the details of an invalid id')
    },
  }),
  clustered({
    id: 'TM-1.3',
    kind: 'plain',
    title: 'a task is in progress while its body runs, the task behind it waits, and both run to their end',
    hint: 'append TaskStarted before the body begins; a full worker leaves waiting messages in the queue',
    run: async (cluster) => {
      const held = cluster.held()
      const node = await cluster.node({ tasks: [held.task], worker: { slots: 1 } })
      const [first, run] = await cluster.start(node, held)
      const second = await node.manager.submit(held.task, null)
      const { status, attempt, node: ranOn, startedAt } = await first.details()
      same([status, attempt, ranOn], ['inProgress', 1, node.manager.nodeId], 'status, attempt and node of the running task')
      holds(startedAt !== undefined && startedAt <= Date.now(), `the running task was started at ${startedAt}`)
      const waiting = await second.details()
      same(
        [waiting.status, waiting.attempt, waiting.node, waiting.startedAt],
        ['waiting', 0, undefined, undefined],
        'status, attempt, node and start of the waiting task',
      )
      run.return()
      ;(await cluster.running(second)).return()
      same((await cluster.finished(second, node)).status, 'completed', 'the status of the second task at its end')
      same(held.runs.length, 2, 'how many bodies ran')
    },
  }),
  clustered({
    id: 'TM-1.4',
    kind: 'plain',
    title: 'a body that returns completes its task: the result comes back equal, and the history says what happened on which node',
    hint: 'payload and result are JSON values: check what the engine makes of them',
    run: async (cluster, { within }) => {
      const { manager } = await cluster.node({ tasks: [echoTask] })
      const handle = await manager.submit(echoTask, awkwardValues)
      same(await within('the result came', handle.result()), awkwardValues, 'the result that the caller got')
      const details = await handle.details()
      same([details.status, details.result, details.error], ['completed', awkwardValues, undefined], 'status, result and error of the task')
      const history = await handle.history()
      same(typesOf(history), ['TaskCreated', 'TaskStarted', 'TaskCompleted'], 'the events of the task')
      for (const event of history) same(event.node, manager.nodeId, `the node of the event ${event.type}`)
      same(details.finishedAt, history.at(-1)?.at, 'when the task finished, beside the time of its last event')
    },
  }),
  clustered({
    id: 'TM-1.5',
    kind: 'plain',
    title: 'a body that throws fails its task: a wait for the result throws the reason, a wait for the end does not throw',
    hint: 'store the error in TaskFailed',
    run: async (cluster, { within }) => {
      const throwing = defineTask({
        type: 'throwing',
        run: () => {
          throw Object.assign(new RangeError('the mailbox is gone'), { code: 'NO_MAILBOX' })
        },
      })
      const { manager } = await cluster.node({ tasks: [throwing] })
      const handle = await manager.submit(throwing)
      const details = await within('the task ended', handle.finished())
      const { name, message, code } = details.error ?? {}
      same(
        [details.status, name, message, code],
        ['failed', 'RangeError', 'the mailbox is gone', 'NO_MAILBOX'],
        'the status, and name, message and code of the error',
      )
      const thrown = await within('the wait for the result ended', outcomeOf(handle.result()))
      holds(isTaskFailed(thrown), `the wait for the result of a failed task ended with ${String(thrown)}`)
      holds(/the mailbox is gone/.test(thrown.message), `the error does not say why the task failed: ${thrown.message}`)
      same(thrown.details, details, 'the details in the error')
      same(typesOf(await handle.history()), ['TaskCreated', 'TaskStarted', 'TaskFailed'], 'the events of the failed task')
    },
  }),
  clustered({
    id: 'TM-1.6',
    kind: 'plain',
    title: 'the list by status holds the tasks that have the status and no others, and is empty if there are none',
    hint: 'save the row after each event',
    run: async (cluster, { waitUntil }) => {
      const held = cluster.held()
      const deaf = cluster.held({ type: 'deaf', heeds: false })
      const node = await cluster.node({ tasks: [held.task, deaf.task], worker: { slots: 2, cancelGraceMs: 60_000 } })
      const { manager } = node
      const statuses = ['waiting', 'inProgress', 'cancelRequested', 'completed', 'failed', 'cancelled', 'died'] as const
      const idsBy = async (status: TaskDetails['status']): Promise<readonly string[]> =>
        (await manager.list({ status })).tasks.map(({ taskId }) => taskId)
      same((await manager.list()).tasks, [], 'the list before the first submit')
      for (const status of statuses) same(await idsBy(status), [], `the list of tasks that are ${status}, before the first submit`)

      const ending = async (end: 'return' | 'throw' | 'cancel'): Promise<string> => {
        const [handle, run] = await cluster.start(node, held)
        if (end === 'cancel') await handle.cancel()
        else if (end === 'throw') run.throw(new Error('no'))
        else run.return()
        await cluster.finished(handle, node)
        return handle.id
      }
      const [completed, failed, cancelled] = [await ending('return'), await ending('throw'), await ending('cancel')]
      const [cancelRequested] = await cluster.start(node, deaf)
      await cancelRequested.cancel()
      const [inProgress] = await cluster.start(node, held)
      const waiting = await manager.submit(held.task, null)
      const expected = {
        waiting: [waiting.id],
        inProgress: [inProgress.id],
        cancelRequested: [cancelRequested.id],
        completed: [completed],
        failed: [failed],
        cancelled: [cancelled],
        died: [],
      }
      for (const status of statuses)
        await waitUntil(`the list of what is ${status} is ${expected[status].join(', ') || 'empty'}`, async () => {
          const ids = await idsBy(status)
          return ids.length === expected[status].length && ids.every((id, index) => id === expected[status][index])
        })
      const both = (await manager.list({ status: ['failed', 'completed'] })).tasks.map(({ taskId }) => taskId)
      same([...both].sort(), [completed, failed].sort(), 'the list of tasks by two statuses')
    },
  }),
  clustered({
    id: 'TM-1.7',
    kind: 'plain',
    title: 'one slot runs the tasks of a queue one after another, in the order in which they were submitted',
    hint: 'deliver first in, first out to one consumer; a slot is free when the body has ended, not earlier',
    run: async (cluster, { within }) => {
      const steps: string[] = []
      const stepping = defineTask({
        type: 'stepping',
        run: async ({ taskId }) => {
          steps.push(`${taskId} begins`)
          for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
          steps.push(`${taskId} ends`)
        },
      })
      const { manager } = await cluster.node({ tasks: [stepping], worker: { slots: 1 } })
      const ids: string[] = []
      for (let index = 0; index < 5; index++) ids.push((await manager.submit(stepping)).id)
      await within('all tasks ended', Promise.all(ids.map((id) => manager.task(id).finished())))
      same(
        steps,
        ids.flatMap((id) => [`${id} begins`, `${id} ends`]),
        'the steps of the bodies',
      )
    },
  }),
  clustered({
    id: 'TM-1.8',
    kind: 'plain',
    title: 'a wait for the end works while the task waits, while it runs, and any number of times after its end',
    hint: 'subscribe to notices, then read the store, and only then wait',
    run: async (cluster, { within }) => {
      const held = cluster.held()
      const node = await cluster.node({ tasks: [held.task], worker: { slots: 1 } })
      const [first, blocker] = await cluster.start(node, held)
      const second = await node.manager.submit(held.task, null)
      const awaits = [first.result(), first.result(), second.result()]
      blocker.return('first')
      ;(await cluster.running(second)).return('second')
      same(
        await within('the waits that began before the end got the result', Promise.all(awaits)),
        ['first', 'first', 'second'],
        'the results of the waits that began before the end',
      )
      const late = [second.result(), second.result(), second.result({ timeoutMs: 0 }).catch(codeOf)]
      const [one, two, hurried] = await within('the waits that began after the end got the result', Promise.all(late))
      same([one, two], ['second', 'second'], 'the results of the waits that began after the end')
      holds(hurried === 'second' || hurried === 'AWAIT_TIMEOUT', `a wait with a timeout of 0 ended with ${String(hurried)}`)
    },
  }),
  clustered({
    id: 'TM-1.9',
    kind: 'plain',
    title: 'a wait with a short timeout times out, an aborted wait ends with its reason, and neither changes the task',
    hint: 'a timeout ends one wait: append nothing, and wake no other waiter',
    run: async (cluster, { within }) => {
      const held = cluster.held()
      const node = await cluster.node({ tasks: [held.task] })
      const [handle, run] = await cluster.start(node, held)
      const patient = handle.result()
      for (const wait of [handle.result({ timeoutMs: 20 }), handle.finished({ timeoutMs: 20 })])
        failedWith(await within('the wait timed out', outcomeOf(wait)), 'AWAIT_TIMEOUT', 'a wait that takes too long')
      const reason = new Error('enough')
      const aborting = new AbortController()
      const aborted = outcomeOf(handle.result({ signal: aborting.signal }))
      aborting.abort(reason)
      const rejection = await within('the wait was aborted', aborted)
      holds(rejection === reason, `an aborted wait rejects with ${String(rejection)}, and not with the reason of its signal`)
      same(
        [(await handle.details()).status, run.signal.aborted],
        ['inProgress', false],
        'the status of the task, and whether the signal of its body is aborted',
      )
      run.return('in the end')
      same(await within('the wait without a timeout got the result', patient), 'in the end', 'the result of the wait without a timeout')
    },
  }),
  clustered({
    id: 'TM-1.10',
    kind: 'plain',
    title: 'a watch shows the task as it is, then every change in order, and ends with the task',
    hint: 'changes may be combined, but never show an older change after a newer one, and always show the last one',
    run: async (cluster, { within }) => {
      const held = cluster.held()
      const node = await cluster.node({ tasks: [held.task] })
      const [handle, run] = await cluster.start(node, held)
      const seen: TaskDetails[] = []
      const watching = (async () => {
        for await (const details of handle.watch()) {
          seen.push(details)
          if (seen.length === 1) run.progress({ done: 1 })
          if (details.progress !== undefined) run.return('done')
        }
      })()
      await within('the watch ended with its task', watching)
      const versions = seen.map(({ version }) => version)
      same(
        versions,
        [...versions].sort((a, b) => a - b),
        'the order of the versions that a watch showed',
      )
      same(
        [seen[0]?.status, seen.at(-1)?.status, seen.at(-1)?.result],
        ['inProgress', 'completed', 'done'],
        'the first status, the last status and the result that a watch showed',
      )
      holds(
        seen.some(({ status, progress }) => status === 'inProgress' && progress !== undefined),
        'the watch showed no progress',
      )
    },
  }),
]
