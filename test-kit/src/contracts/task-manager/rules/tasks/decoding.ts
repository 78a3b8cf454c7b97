import type { JsonValue } from '@taskledger/core'
import { codeOf, declareTask, defineTask, implementTask, unchecked } from '@taskledger/core'
import type { Rule } from '../../../../framework/rule.ts'
import { createdEvent, freshTaskId } from '../../../sample-data.ts'
import type { Adapters } from '../../../../faults/adapters.ts'
import { clustered } from '../../stage/clustered.ts'
import { echoTask } from '../../stage/echo-task.ts'
import { outcomeOf } from '../../../outcome.ts'
import { failedWith, holds, same } from '../../../expectations.ts'

/** So many releases that no task fails here by chance: other rules are about tasks that fail. */
const patient = { unknownTasks: { retryDelayMs: 2, maxReleases: 1_000 } }

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

const malformed = ['', '{', 'null', '[]', '{"taskId":"nobody"}', '\u0000\uffff', '{"v":1}', 'x'.repeat(5_000)]

const needsInjection = ({ inject }: { readonly inject?: unknown }): string | undefined =>
  inject === undefined ? 'the harness has no hook to inject what no codec wrote' : undefined

/** Rules 3.x, continued: what a node cannot decode. */
export const decodingRules: readonly Rule<Adapters>[] = [
  clustered({
    id: 'TM-3.21',
    kind: 'plain',
    title: 'a task of a type that one of two nodes does not know runs on the other',
    hint: 'a node that cannot decode a task releases its message with a delay, for other nodes',
    run: async (cluster, { within }) => {
      const special = defineTask({ type: 'special', payload: unchecked<JsonValue>(), run: ({ payload }) => payload })
      const knowing = await cluster.node({ tasks: [special, echoTask], worker: { slots: 2, ...patient } })
      const ignorant = await cluster.node({ tasks: [echoTask], worker: { slots: 2, ...patient } })
      const payloads = Array.from({ length: 12 }, (_, index) => index)
      const handles = await knowing.manager.submitMany(special, payloads)
      const others = await ignorant.manager.submitMany(echoTask, payloads)
      same(
        await within('the tasks of the known type ran', Promise.all(handles.map((handle) => handle.result()))),
        payloads,
        'the results of the known type',
      )
      same(
        await within('the other tasks ran', Promise.all(others.map((handle) => handle.result()))),
        payloads,
        'the results of the other type',
      )
      for (const handle of handles)
        same((await handle.details()).node, knowing.manager.nodeId, 'the node that ran a task that only it knows')
      failedWith(
        await outcomeOf(ignorant.manager.submit(special, 1)),
        'UNKNOWN_TASK_TYPE',
        'the submit of a type that the node does not know',
      )
    },
  }),
  clustered({
    id: 'TM-3.22',
    kind: 'plain',
    title: 'a task of a type that no node knows fails after a bounded number of tries, with what is missing and where, and blocks nothing',
    hint: 'the last node that gets the message claims the task and fails it',
    run: async (cluster) => {
      const declared = declareTask({ type: 'nobody-has-this', payload: unchecked<JsonValue>() })
      const front = await cluster.node({ tasks: [declared, echoTask], worker: false })
      const workers = await cluster.nodes(2, { tasks: [echoTask], worker: { slots: 1, unknownTasks: { maxReleases: 3 } } })
      const lost = [await front.manager.submit(declared, 1), await front.manager.submit(declared, 2)]
      const good = await front.manager.submit(echoTask, 'good')
      same((await cluster.finished(good, front)).result, 'good', 'the result of a task of a known type')
      for (const handle of lost) {
        const { status, error, node } = await cluster.finished(handle, front)
        same([status, error?.code], ['failed', 'UNKNOWN_TASK_TYPE'], 'status and error code of a task that no node knows')
        holds(
          workers.some(({ manager }) => manager.nodeId === node),
          `the task ended on ${node}, which is none of the workers`,
        )
        holds(/nobody-has-this/.test(error?.message ?? ''), `the error does not name the type: ${error?.message}`)
        holds(node !== undefined && error?.message.includes(node), `the error does not name the node: ${error?.message}`)
      }
      const after = await front.manager.submit(echoTask, 'after')
      same((await cluster.finished(after, front)).result, 'after', 'the result of a later task')
    },
  }),
  clustered({
    id: 'TM-3.23',
    kind: 'plain',
    title: 'with two versions of a type on two nodes, the new node runs old and new tasks, and the old node leaves new tasks to it',
    hint: 'TaskCreated contains the version; a node that does not know it leaves the task to others',
    run: async (cluster, { within }) => {
      const old = defineTask({
        type: 'reindex',
        payload: unchecked<{ name: string }>(),
        run: ({ payload }) => `old ${payload.name}`,
      })
      const young = defineTask({
        type: 'reindex',
        version: 2,
        payload: unchecked<{ mailbox: string }>(),
        upcast: { 1: ({ name }: { name: string }) => ({ mailbox: name }) },
        run: ({ payload }) => `new ${payload.mailbox}`,
      })
      const [oldNode, newNode] = [
        await cluster.node({ tasks: [old], worker: { slots: 2, ...patient } }),
        await cluster.node({ tasks: [young], worker: { slots: 2, ...patient } }),
      ]
      const names = Array.from({ length: 8 }, (_, index) => `box ${index}`)
      const newTasks = await newNode.manager.submitMany(
        young,
        names.map((mailbox) => ({ mailbox })),
      )
      const newResults = await within('the new tasks ended', Promise.all(newTasks.map((handle) => handle.result())))
      same(
        newResults,
        names.map((name) => `new ${name}`),
        'the results of the new tasks',
      )
      for (const handle of newTasks) same((await handle.details()).typeVersion, 2, 'the version of a task that the new node submitted')
      const oldTasks = await oldNode.manager.submitMany(
        old,
        names.map((name) => ({ name })),
      )
      for (const [index, result] of (await within('the old tasks ended', Promise.all(oldTasks.map((handle) => handle.result())))).entries())
        holds([`old ${names[index]}`, `new ${names[index]}`].includes(result), `an old task returned ${result}`)
      oldNode.manager.worker?.pause()
      const upcast = await oldNode.manager.submit(old, { name: 'inbox' })
      same(await within('an old task ran on the new node', upcast.result()), 'new inbox', 'the result of an old task on the new node')
      const { typeVersion, node } = await upcast.details()
      same([typeVersion, node], [1, newNode.manager.nodeId], 'version and node of an old task')
    },
  }),
  clustered({
    id: 'TM-3.24',
    kind: 'plain',
    title: 'a payload that the schema of the worker refuses fails its task visibly, and the next task runs',
    hint: 'check on submit and again before the run: the two nodes may run two releases',
    run: async (cluster) => {
      const lax = declareTask({ type: 'checked', payload: unchecked<JsonValue>() })
      const strict = implementTask(
        declareTask({
          type: 'checked',
          payload: {
            '~standard': {
              version: 1,
              vendor: 'conformance-kit',
              validate: (value: unknown) => (typeof value === 'number' ? { value } : { issues: [{ message: 'it is no number' }] }),
            },
          },
        }),
        ({ payload }) => payload,
      )
      const front = await cluster.node({ tasks: [lax], worker: false })
      await cluster.node({ tasks: [strict], worker: { slots: 1, unknownTasks: { maxReleases: 1 } } })
      const refused = await front.manager.submit(lax, 'one')
      const good = await front.manager.submit(lax, 1)
      same((await cluster.finished(good, front)).result, 1, 'the result of a good payload')
      const { status, error, attempt } = await cluster.finished(refused, front)
      same(
        [status, error?.code, attempt],
        ['failed', 'INVALID_PAYLOAD', 1],
        'status, error code and attempt of a task whose payload is refused',
      )
      holds(/it is no number/.test(error?.message ?? ''), `the error does not say why: ${error?.message}`)
    },
  }),
  clustered({
    id: 'TM-3.25',
    kind: 'fault',
    title: 'malformed messages in the queue and on the bus, one or a hundred, stop nothing: tasks complete and are cancelled',
    hint: 'dead-letter or skip what cannot be decoded, and continue to consume',
    notShown: needsInjection,
    run: async (cluster, { inject, waitUntil }) => {
      const held = cluster.held()
      const worker = await cluster.node({ tasks: [held.task], worker: { slots: 2 } })
      const front = await cluster.node({ tasks: [held.task], worker: false })
      for (const times of [1, 100]) {
        const [completing, run] = await cluster.start(front, held)
        const [cancelling, cancelled] = await cluster.start(front, held)
        const texts = Array.from({ length: times }, (_, time) => malformed[time % malformed.length] ?? '')
        await Promise.all(texts.flatMap((text) => ['queue/default', 'bus'].map(async (where) => inject?.(bytesOf(text), where))))
        await cancelling.cancel()
        await waitUntil('the signal of the body is aborted', () => cancelled.signal.aborted)
        same((await cluster.finished(cancelling, front)).status, 'cancelled', 'the status of a task that was cancelled')
        run.return('done')
        same((await cluster.finished(completing, front)).result, 'done', 'the result of a task that completed')
        const [next, nextRun] = await cluster.start(front, held)
        nextRun.return('next')
        same((await cluster.finished(next, worker)).result, 'next', 'the result of the next task')
      }
    },
  }),
  clustered({
    id: 'TM-3.26',
    kind: 'fault',
    title: 'messages of tasks that the store does not know stop nothing and create no task',
    hint: 'the claim checks a message against the store: an append at version 1 needs the event before it',
    run: async (cluster) => {
      const { storage } = await cluster.outside()
      // Its message carries the task as it was submitted, and waits for a worker.
      const front = await cluster.node({ tasks: [echoTask], worker: false })
      const removed = await front.manager.submit(echoTask, 'removed before it ran')
      await storage.listing.remove(await removed.details())
      await storage.events.remove(removed.id)
      cluster.forget(removed.id)
      const node = await cluster.node({ tasks: [echoTask], worker: { slots: 1, unknownTasks: { maxReleases: 1 } } })
      const unknown = freshTaskId()
      const carried = freshTaskId()
      const created = { ...createdEvent(carried), task: { type: 'echo', version: 1, payload: 'never submitted' } }
      await cluster.send({ taskId: unknown })
      await cluster.send({ taskId: unknown, version: 7 })
      await cluster.send({ taskId: carried, created })
      for (let time = 0; time < 10; time++) {
        const handle = await node.manager.submit(echoTask, time)
        same((await cluster.finished(handle, node)).result, time, `the result of task ${time}, beside messages of no task`)
      }
      for (const taskId of [unknown, carried, removed.id])
        same(await storage.events.read(taskId), [], `the history of task ${taskId}, which has none`)
      same((await cluster.listed(node)).length, 10, 'how many tasks are listed')
    },
  }),
  clustered({
    id: 'TM-3.27',
    kind: 'fault',
    title: 'a history that cannot be decoded is reported as such, is not changed, and stops no other task',
    hint: 'reject with MALFORMED or UNKNOWN_EVENT_TYPE; append nothing to a history that was not understood',
    notShown: needsInjection,
    run: async (cluster, { inject, within }) => {
      const held = cluster.held()
      const node = await cluster.node({ tasks: [held.task, echoTask], worker: { slots: 1, unknownTasks: { maxReleases: 1 } } })
      const [, blocker] = await cluster.start(node, held)
      const broken = await node.manager.submit(echoTask, 'never')
      await inject?.(bytesOf('{"no":"event"}'), `history/${broken.id}`)
      blocker.return()
      for (let time = 0; time < 5; time++) {
        const handle = await node.manager.submit(echoTask, time)
        same((await cluster.finished(handle, node)).result, time, `the result of task ${time}, beside a history that cannot be decoded`)
      }
      const answers = [broken.details(), broken.history(), broken.result(), broken.cancel()].map(outcomeOf)
      for (const answer of await within('every call is rejected', Promise.all(answers))) {
        const code = codeOf(answer)
        holds(
          code === 'MALFORMED' || code === 'UNKNOWN_EVENT_TYPE',
          `a call for a history that cannot be decoded ended with ${String(code)}`,
        )
      }
      cluster.forget(broken.id)
    },
  }),
]
