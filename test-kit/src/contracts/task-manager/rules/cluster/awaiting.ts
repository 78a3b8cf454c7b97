import type { Rule } from '../../../../framework/rule.ts'
import type { Adapters } from '../../../../faults/adapters.ts'
import { clustered } from '../../stage/clustered.ts'
import { echoTask } from '../../stage/echo-task.ts'
import { jitterFor } from '../../stage/jitter.ts'
import { runRounds } from '../../stage/rounds.ts'
import { calls } from '../../../../faults/calls.ts'
import { holds, same } from '../../../expectations.ts'

/** Rules 3.x, continued: waits on other nodes. */
export const awaitRules: readonly Rule<Adapters>[] = [
  clustered({
    id: 'TM-3.10',
    kind: 'plain',
    title: 'a third node can await the end of a task, by a wait that began before the end and by a wait that began after it',
    hint: 'publish a notice to every node after the final event',
    run: async (cluster, { within }) => {
      const held = cluster.held()
      const worker = await cluster.node({ tasks: [held.task] })
      const [front, third] = await cluster.nodes(2, { tasks: [held.task], worker: false })
      const [handle, run] = await cluster.start(front, held)
      const before = [front, third, worker].map(({ manager }) => manager.task(handle.id).result())
      run.return({ messages: 42 })
      same(
        await within('the waits ended', Promise.all(before)),
        [{ messages: 42 }, { messages: 42 }, { messages: 42 }],
        'the results of the waits on all nodes',
      )
      same(
        await within('a later wait ended', third.manager.task(handle.id).result()),
        { messages: 42 },
        'the result of a wait after the end',
      )
    },
  }),
  clustered({
    id: 'TM-3.11',
    kind: 'race',
    title: 'a wait that begins while the task ends is over with the task, on every node',
    hint: 'subscribe first, then read the store',
    run: async (cluster, { random, within }) => {
      const held = cluster.held()
      const worker = await cluster.node({ tasks: [held.task], worker: { slots: 5 } })
      const front = await cluster.node({ tasks: [held.task], worker: false })
      const jitter = await jitterFor(async () => {
        const [handle, run] = await cluster.start(front, held)
        run.return()
        await cluster.finished(handle, front)
      })
      await runRounds(100, 5, async (round) => {
        const [handle, run] = await cluster.start(front, held, round)
        const waits = [front, worker, front, worker].map(async ({ manager }) => {
          await jitter(random)
          return manager.task(handle.id).result()
        })
        await jitter(random)
        run.return(round)
        same(
          await within(`the waits of round ${round} ended`, Promise.all(waits)),
          [round, round, round, round],
          `the results of the waits of round ${round}`,
        )
      })
    },
  }),
  clustered({
    id: 'TM-3.12',
    kind: 'fault',
    title: 'a wait does not hang when the end and its notice overtake its read of the store',
    hint: 'remember a notice that arrives during a read of the store, and read the store again',
    run: async (cluster, { within, waitUntil }) => {
      const held = cluster.held()
      const worker = await cluster.node({ tasks: [held.task] })
      const front = await cluster.node({ tasks: [held.task], worker: false })
      const [handle, run] = await cluster.start(front, held)
      let hasHeard = false
      front.manager.subscribe(({ type }) => (hasHeard ||= type === 'TaskCompleted'))
      // The held answer was read before the end.
      const hold = front.faults.hold('after', calls('events.read', handle.id))
      const wait = handle.result()
      await waitUntil('the wait reads the store', () => hold.caught > 0)
      run.return('done')
      await cluster.finished(handle, worker)
      await waitUntil('the notice has arrived', () => hasHeard)
      hold.release()
      same(await within('the wait ended', wait), 'done', 'the result of a wait on another node')
    },
  }),
  clustered({
    id: 'TM-3.13',
    kind: 'fault',
    title: 'a wait is over after a gap of the bus in which the task ended without a notice',
    hint: 'after a gap, each waiter reads the store again',
    run: async (cluster, { within }) => {
      const held = cluster.held()
      const worker = await cluster.node({ tasks: [held.task] })
      const front = await cluster.node({ tasks: [held.task], worker: false })
      const [handle, run] = await cluster.start(front, held)
      front.faults.dropsNotice = () => true
      const waits = [handle.result(), handle.finished().then(({ result }) => result), lastOf(handle.watch()).then(({ result }) => result)]
      run.return('unheard')
      await cluster.finished(handle, worker)
      front.faults.gap()
      same(
        await within('the waits ended', Promise.all(waits)),
        ['unheard', 'unheard', 'unheard'],
        'the results of waits that heard no notice',
      )
    },
  }),
  clustered({
    id: 'TM-3.14',
    kind: 'fault',
    title: 'a wait survives an outage of the store of any length: it ends when the task has ended and the store answers again',
    hint: 'repeat a failed read after the next notice, gap or poll; only the caller or the end of the task ends the wait',
    run: async (cluster, { within, waitUntil }) => {
      const held = cluster.held()
      const worker = await cluster.node({ tasks: [held.task] })
      // The node does not retry, as if the outage took longer than its retries.
      const front = await cluster.node({ tasks: [held.task], worker: false, commandTimeoutMs: 0 })
      const [handle, run] = await cluster.start(front, held)
      const isLook = calls('events.read', handle.id)
      const hold = front.faults.hold('after', isLook)
      const wait = handle.result()
      await waitUntil('the wait reads the store', () => hold.caught > 0)
      let looks = 0
      const heal = front.faults.fail('before', (call) => isLook(call) && ++looks > 0)
      hold.release()
      run.return('done')
      await cluster.finished(handle, worker)
      await waitUntil('the wait reads a store that does not answer', () => looks > 0)
      heal()
      front.faults.gap()
      same(await within('the wait ended', wait), 'done', 'the result of a wait on another node')
    },
  }),
  clustered({
    id: 'TM-3.15',
    kind: 'race',
    title: 'hundreds of waits on every node, for the same tasks and for different tasks, are over when the tasks are',
    hint: 'a notice wakes all waiters of its task, and no others',
    run: async (cluster, { within }) => {
      const nodes = await cluster.nodes(3, { tasks: [echoTask], worker: { slots: 5 } })
      for (const { manager } of nodes) manager.worker?.pause()
      const handles = await nodes[0].manager.submitMany(
        echoTask,
        Array.from({ length: 50 }, (_, index) => index),
      )
      const waits = nodes.flatMap(({ manager }) => handles.flatMap(({ id }) => [manager.task(id).result(), manager.task(id).result()]))
      for (const { manager } of nodes) manager.worker?.resume()
      const results = await within('every wait ended', Promise.all(waits))
      const twice = handles.flatMap((_, index) => [index, index])
      same(results, [...twice, ...twice, ...twice], 'the results of the waits on all nodes')
    },
  }),
]

const lastOf = async <T>(values: AsyncIterable<T>): Promise<T> => {
  let last: T | undefined
  for await (const value of values) last = value
  holds(last !== undefined, 'the history has no last event')
  return last
}
