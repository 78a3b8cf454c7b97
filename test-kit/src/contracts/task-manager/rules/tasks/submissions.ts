import { codeOf, declareTask, taskIdOfKey, unchecked } from '@taskledger/core'
import type { JsonValue } from '@taskledger/core'
import type { TaskId } from '@taskledger/core/ports'
import type { Rule } from '../../../../framework/rule.ts'
import type { Adapters } from '../../../../faults/adapters.ts'
import { clustered } from '../../stage/clustered.ts'
import { echoTask } from '../../stage/echo-task.ts'
import { jitterFor } from '../../stage/jitter.ts'
import { runRounds } from '../../stage/rounds.ts'
import { calls } from '../../../../faults/calls.ts'
import { outcomeOf } from '../../../outcome.ts'
import { failedWith, holds, same } from '../../../expectations.ts'

/** Rules 4.x, continued: submits. */
export const submissionRules: readonly Rule<Adapters>[] = [
  clustered({
    id: 'TM-4.8',
    kind: 'plain',
    title:
      'an idempotency key always stands for one task: a second submit, on another node, during or after its life, returns the first, and says so',
    hint: 'derive the id from type and key; the append at version 0 meets the existing history',
    run: async (cluster, { within }) => {
      const held = cluster.held()
      const nodes = await cluster.nodes(2, { tasks: [held.task, echoTask] })
      const [a, b] = nodes
      const key = { idempotencyKey: 'nightly, 29 February' }
      const first = await a.manager.submit(held.task, { mailbox: 'inbox', deep: [1, { b: 2, a: 1 }] }, key)
      const run = await cluster.running(first)
      // The same payload with another order of its properties.
      const second = await b.manager.submit(held.task, { deep: [1, { a: 1, b: 2 }], mailbox: 'inbox' }, key)
      same(second.id, first.id, 'the id of a second submit with the same key')
      const other = outcomeOf(b.manager.submit(held.task, { mailbox: 'drafts', deep: [] }, key))
      failedWith(await within('another payload is refused', other), 'IDEMPOTENCY_MISMATCH', 'a submit of another payload with the same key')
      const ofOtherType = await b.manager.submit(echoTask, 1, key)
      holds(ofOtherType.id !== first.id, 'two types share the task of one key')
      same([first.isNew, second.isNew, ofOtherType.isNew], [true, false, true], 'which submit created the task')
      run.return('once')
      for (const node of nodes) same((await cluster.finished(first, node)).result, 'once', 'the result of the task, on each node')
      const third = await b.manager.submit(held.task, { mailbox: 'inbox', deep: [1, { b: 2, a: 1 }] }, key)
      same(third.isNew, false, 'whether a submit after the end created a task')
      same(await within('the existing result is returned', third.result()), 'once', 'the result of a submit after the end')
      await cluster.finished(ofOtherType, a)
      same(
        [held.runs.length, (await cluster.listed(b)).length, (await first.history()).length],
        [1, 2, 3],
        'how many bodies ran, how many tasks are listed, and how many events the task has',
      )
    },
  }),
  clustered({
    id: 'TM-4.9',
    kind: 'race',
    title: 'many callers submit under one key at once, on every node: all get the same task, and it runs once',
    hint: 'one of the racing appends at version 0 wins; the others read what it wrote',
    run: async (cluster, { random, within, observe }) => {
      const held = cluster.held()
      const nodes = await cluster.nodes(3, { tasks: [held.task] })
      const jitter = await jitterFor(async () => (await cluster.start(nodes[0], held))[1].return())
      await runRounds(25, 5, async (round) => {
        const submits = Array.from({ length: 12 }, async (_, index) => {
          await jitter(random)
          return (nodes[index % 3] ?? nodes[0]).manager.submit(held.task, round, { idempotencyKey: `round ${round}` })
        })
        const handles = await within('every submit was acknowledged', Promise.all(submits))
        const [handle, ...others] = handles
        holds(handle !== undefined, 'no submit returned a handle')
        for (const { id } of others) same(id, handle.id, 'the ids of submits with one key')
        same(handles.filter(({ isNew }) => isNew).length, 1, 'how many submits created the task')
        ;(await cluster.running(handle)).return(round)
        same((await cluster.finished(handle, nodes[1])).result, round, `the result of round ${round}`)
        observe({ round, history: await handle.history() })
        same(held.runs.filter(({ taskId }) => taskId === handle.id).length, 1, `how often the task of round ${round} ran`)
      })
    },
  }),
  clustered({
    id: 'TM-4.10',
    kind: 'fault',
    title: 'a submit that was interrupted rejects as unknown, with the id; the same submit again under its key completes the task',
    hint: 'a submit that meets an existing history repeats the later steps: row, message, notice',
    run: async (cluster, { within }) => {
      // Long enough for a retry on a busy machine.
      const faulty = await cluster.node({ tasks: [echoTask], worker: false, commandTimeoutMs: 500 })
      const node = await cluster.node({ tasks: [echoTask] })
      const faults = {
        'the history was written, and the answer lost': () => faulty.faults.fail('after', calls('events.append')),
        'the row could not be written, nor the message': () =>
          faulty.faults.fail('before', ({ name }) => name === 'listing.save' || name === 'queue.send'),
        'nothing could be written': () => faulty.faults.fail('before', () => true),
      }
      for (const [idempotencyKey, strike] of Object.entries(faults)) {
        const heal = strike()
        const thrown = await within('the submit was refused', outcomeOf(faulty.manager.submit(echoTask, 'whole', { idempotencyKey })))
        const id = taskIdOfKey('echo', idempotencyKey)
        same(
          [codeOf(thrown), (thrown as { taskId?: TaskId }).taskId],
          ['OUTCOME_UNKNOWN', id],
          'code and task of a submit whose outcome is unknown',
        )
        const handle = await node.manager.submit(echoTask, 'whole', { idempotencyKey })
        same(handle.id, id, 'the id of the repeated submit')
        const details = await cluster.finished(handle, node)
        same([details.status, details.attempt, details.result], ['completed', 1, 'whole'], 'status, attempt and result of the task')
        await cluster.rowIs(details, node)
        heal()
      }
    },
  }),
  clustered({
    id: 'TM-4.11',
    kind: 'plain',
    title:
      'a refused submit writes nothing: a payload that the schema refuses, that is not JSON, or that is too large, an unknown type, and what could not be read back',
    hint: 'check everything before the first append',
    run: async (cluster) => {
      const strict = declareTask({
        type: 'strict',
        payload: {
          '~standard': {
            version: 1,
            vendor: 'conformance-kit',
            validate: (value: unknown) => (value === 'right' ? { value } : { issues: [{ message: 'it is not right' }] }),
          },
        },
      })
      const stranger = declareTask({ type: 'stranger', payload: unchecked<JsonValue>() })
      const node = await cluster.node({ tasks: [strict, echoTask], worker: false })
      const { manager } = node
      const refusals = [
        [manager.submit(strict, 'wrong'), 'INVALID_PAYLOAD'],
        [manager.submit(echoTask, 1n as unknown as JsonValue), 'NOT_JSON'],
        [manager.submit(echoTask, { at: new Date() } as unknown as JsonValue), 'NOT_JSON'],
        [manager.submit(echoTask, 'x'.repeat(256 * 1024 - 1)), 'TOO_LARGE'],
        [manager.submitMany(echoTask, [1, 2, Number.NaN]), 'NOT_JSON'],
        [manager.submit(stranger, 1), 'UNKNOWN_TASK_TYPE'],
        [manager.submit(echoTask, 1, { retryOf: 'ORDER-17' as TaskId }), 'MISUSE'],
        [manager.submit(echoTask, 1, { labels: 'demo' as never }), 'MISUSE'],
        [manager.submit({ ...echoTask, timeoutMs: '5s' as never }, 1), 'MISUSE'],
        [manager.submit({ ...echoTask, version: 1.5 }, 1), 'MISUSE'],
        [manager.submit({ ...echoTask, queue: 'q'.repeat(300) }, 1), 'MISUSE'],
      ] as const
      for (const [submit, code] of refusals) failedWith(await outcomeOf(submit), code, 'a submit that has to be refused')
      same(
        [(await cluster.listed(node)).length, (await cluster.histories()).size],
        [0, 0],
        'how many tasks and histories the refused submits left',
      )
    },
  }),
  clustered({
    id: 'TM-4.12',
    kind: 'plain',
    title: 'tasks are listed by label, type, node and time, newest first, and pages show each task once while others are submitted',
    hint: 'the cursor contains a position, not a number of rows',
    run: async (cluster) => {
      const held = cluster.held()
      const [a, b] = await cluster.nodes(2, { tasks: [held.task, echoTask], worker: { slots: 20 } })
      b.manager.worker?.pause()
      const before = await a.manager.submit(echoTask, 'before', { labels: ['odd', 'old'] })
      await cluster.finished(before, a)
      // The next tasks need a later millisecond.
      while (Date.now() <= (await before.details()).createdAt);
      const since = Date.now()
      const labelled: TaskId[] = []
      for (let index = 0; index < 10; index++) {
        const { id } = await b.manager.submit(held.task, index, { labels: index % 2 === 0 ? ['even'] : ['odd', 'nightly'] })
        labelled.unshift(id)
        await cluster.running({ id })
      }
      const ids = async (query: Parameters<typeof a.manager.list>[0]): Promise<readonly TaskId[]> =>
        (await b.manager.list(query)).tasks.map(({ taskId }) => taskId)
      const odd = labelled.filter((_, index) => index % 2 === 0)
      same([...(await ids({ label: 'odd' }))].sort(), [...odd, before.id].sort(), 'the list by a label')
      same([...(await ids({ label: 'odd', since }))].sort(), [...odd].sort(), 'the list by a label and a time')
      same(await ids({ until: since, type: 'echo' }), [before.id], 'the list by a time and a type')
      same(await ids({ label: 'old', status: 'inProgress' }), [], 'the list by a label and another status')
      same(await ids({ node: b.manager.nodeId }), [], 'the list by a node that ran nothing')
      // A listing may delay the row of a start for a moment, in case the end follows soon.
      await cluster.until(
        'all ten are listed by their node',
        async () => (await ids({ node: a.manager.nodeId, type: 'held' })).length === 10,
      )
      const rows = await cluster.listed(b)
      same(
        rows.map(({ createdAt }) => createdAt),
        rows.map(({ createdAt }) => createdAt).sort((one, other) => other - one),
        'the order of the list',
      )
      const walked: TaskId[] = []
      for (let cursor: string | undefined, pages = 0; pages === 0 || cursor !== undefined; pages++) {
        const page = await a.manager.list({ type: 'held', limit: 3, ...(cursor === undefined ? {} : { cursor }) })
        walked.push(...page.tasks.map(({ taskId }) => taskId))
        cursor = page.cursor
        await a.manager.submit(held.task, 'another')
      }
      same([...walked].sort(), [...labelled].sort(), 'the walk through the pages')
      failedWith(await outcomeOf(a.manager.list({ cursor: 'nonsense' })), 'INVALID_CURSOR', 'a list with a nonsensical cursor')
    },
  }),
  clustered({
    id: 'TM-4.13',
    kind: 'plain',
    title: 'many tasks are submitted at once: the handles have the order of the payloads, and each task runs once',
    hint: 'tasks of one manager that are submitted close together share a cohort: do not mix their histories',
    run: async (cluster, { within }) => {
      const front = await cluster.node({ tasks: [echoTask], worker: false })
      const back = await cluster.node({ tasks: [echoTask], worker: { slots: 20 } })
      const payloads = Array.from({ length: 200 }, (_, index) => index)
      const handles = await within('the tasks are submitted', front.manager.submitMany(echoTask, payloads, { labels: ['many'] }))
      same(new Set(handles.map(({ id }) => id)).size, 200, 'how many ids there are')
      const results = await cluster.allFinished(handles.map((handle) => handle.result()))
      same(results, payloads, 'the results of the tasks')
      await runRounds(handles.length, 10, async (index) => {
        const handle = handles[index]
        if (handle !== undefined) await cluster.rowIs(await back.manager.task(handle.id).details(), back)
      })
      const { tasks } = await back.manager.list({ status: 'completed', label: 'many', limit: 1_000 })
      same(
        [tasks.length, tasks.every(({ attempt }) => attempt === 1)],
        [200, true],
        'how many tasks are listed, and whether each took one attempt',
      )
    },
  }),
]
