import { isDeepStrictEqual } from 'node:util'
import type { TaskNotice, TaskDetails, TaskHandle } from '@taskledger/core'
import { codeOf } from '@taskledger/core'
import { isFinalStatus } from '@taskledger/core/ports'
import type { Rule } from '../../../../framework/rule.ts'
import type { Adapters } from '../../../../faults/adapters.ts'
import { clustered } from '../../stage/clustered.ts'
import { echoTask } from '../../stage/echo-task.ts'
import { calls } from '../../../../faults/calls.ts'
import { same } from '../../../expectations.ts'

/** Rules 3.x: two and three nodes. */
export const clusterRules: readonly Rule<Adapters>[] = [
  clustered({
    id: 'TM-3.1',
    kind: 'plain',
    title: 'a task submitted on one node runs on another, and names both',
    hint: 'all nodes share one queue',
    run: async (cluster, { within }) => {
      const front = await cluster.node({ tasks: [echoTask], worker: false })
      const back = await cluster.node({ tasks: [echoTask] })
      const handle = await front.manager.submit(echoTask, 'here')
      same(await within('the result came', handle.result()), 'here', 'the result on the node that submitted')
      const { createdOn, node } = await handle.details()
      same([createdOn, node], [front.manager.nodeId, back.manager.nodeId], 'the node that submitted, the node that ran the task')
      same(
        (await handle.history()).map((event) => [event.type, event.node]),
        [
          ['TaskCreated', front.manager.nodeId],
          ['TaskStarted', back.manager.nodeId],
          ['TaskCompleted', back.manager.nodeId],
        ],
        'the events and their nodes',
      )
    },
  }),
  clustered({
    id: 'TM-3.2',
    kind: 'plain',
    title: 'every node says the same of a task after each step of its life, as soon as the step is made',
    hint: 'compute the details from the history, which every node reads from the same store',
    run: async (cluster) => {
      const held = cluster.held()
      const nodes = await cluster.nodes(3, { tasks: [held.task], worker: { slots: 1 } })
      for (const { manager } of nodes) manager.worker?.pause()
      const handle = await nodes[0].manager.submit(held.task, { mailbox: 'inbox' }, { labels: ['nightly'] })
      const everywhere = async (status: TaskDetails['status'], version: number): Promise<void> => {
        for (const { manager } of nodes) {
          const task = manager.task(handle.id)
          const details = await task.details()
          same([details.status, details.version], [status, version], 'status and version on another node')
          same(details, await handle.details(), 'the details on another node')
          same(await task.history(), await handle.history(), 'the history on another node')
        }
      }
      await everywhere('waiting', 1)
      nodes[1].manager.worker?.resume()
      const run = await cluster.running(handle)
      await everywhere('inProgress', 2)
      await nodes[2].manager.task(handle.id).cancel()
      await cluster.finished(handle, nodes[2])
      await everywhere('cancelled', 4)
      same(run.ended, 'aborted', 'how the body of the cancelled task ended')
    },
  }),
  clustered({
    id: 'TM-3.3',
    kind: 'plain',
    title: 'a task that runs on one node is cancelled from another, and names that node as the one that requested it',
    hint: 'publish a notice to every node; the node that runs the task reads the history',
    run: async (cluster, { waitUntil }) => {
      const held = cluster.held()
      const worker = await cluster.node({ tasks: [held.task] })
      const [front, third] = await cluster.nodes(2, { tasks: [held.task], worker: false })
      const [handle, run] = await cluster.start(front, held)
      same((await third.manager.task(handle.id).cancel()).outcome, 'requested', 'the outcome of a cancel from a third node')
      await waitUntil('the signal of the body is aborted', () => run.signal.aborted)
      same(codeOf(run.signal.reason), 'CANCEL_REQUESTED', 'why the signal of the body was aborted')
      const { status, cancelRequestedBy, createdOn, node } = await cluster.finished(handle, front)
      const { manager } = front
      same(
        [status, cancelRequestedBy, createdOn, node],
        ['cancelled', third.manager.nodeId, manager.nodeId, worker.manager.nodeId],
        'the status, and the nodes that cancelled, submitted and ran the task',
      )
      const wish = (await handle.history()).find(({ type }) => type === 'TaskCancelRequested')
      same(wish?.node, third.manager.nodeId, 'the node of the cancel request')
    },
  }),
  clustered({
    id: 'TM-3.4',
    kind: 'fault',
    title: 'a cancel request whose notice was missed reaches the body after the gap',
    hint: 'after a gap, read the history of every running task again',
    run: async (cluster, { waitUntil }) => {
      const held = cluster.held()
      const worker = await cluster.node({ tasks: [held.task] })
      const front = await cluster.node({ tasks: [held.task], worker: false })
      const [handle, run] = await cluster.start(front, held)
      worker.faults.dropsNotice = () => true
      same((await handle.cancel()).outcome, 'requested', 'the outcome of the cancel')
      worker.faults.dropsNotice = () => false
      worker.faults.gap()
      await waitUntil('the signal of the body is aborted', () => run.signal.aborted)
      same((await cluster.finished(handle, front)).status, 'cancelled', 'the status of the cancelled task')
    },
  }),
  clustered({
    id: 'TM-3.5',
    kind: 'plain',
    title: 'nodes share the load: as many tasks run as all nodes together have slots, and each node runs as many as its own slots',
    hint: 'a node takes no more messages than it has free slots',
    run: async (cluster, { waitUntil }) => {
      const held = cluster.held()
      const nodes = await cluster.nodes(3, { tasks: [held.task], worker: { slots: 2 } })
      const front = await cluster.node({ tasks: [held.task], worker: false })
      const handles = await front.manager.submitMany(held.task, [1, 2, 3, 4, 5, 6, 7])
      await waitUntil('all six slots are taken', () => held.runs.length === 6)
      for (const { manager } of nodes) {
        const running = [...(manager.worker?.running ?? [])].sort()
        same(running.length, 2, 'how many tasks run')
        // The start of a body may be visible only after the body has begun.
        await waitUntil('each node is listed with its running tasks', async () => {
          const { tasks } = await manager.list({ status: 'inProgress', node: manager.nodeId })
          return isDeepStrictEqual(tasks.map(({ taskId }) => taskId).sort(), running)
        })
      }
      held.end()
      await Promise.all(handles.map((handle) => cluster.finished(handle, front)))
    },
  }),
  clustered({
    id: 'TM-3.6',
    kind: 'race',
    title: 'the list is the same on every node and equals the details from the histories, whatever happened to the tasks',
    hint: 'the highest version replaces the whole row, and every event is followed by a save',
    run: async (cluster, { random, waitUntil, observe }) => {
      const held = cluster.held({ retry: { maxAttempts: 2, backoff: { initialMs: 1 } } })
      const nodes = await cluster.nodes(3, { tasks: [held.task], worker: { slots: 20 } })
      const drawNode = (): (typeof nodes)[number] => nodes[Math.floor(random() * nodes.length)] ?? nodes[0]
      const fates = ['return', 'throw', 'throw twice', 'cancel', 'cancel at once', 'leave', 'not yet'] as const
      const live = async (fate: (typeof fates)[number]): Promise<void> => {
        const { manager } = drawNode()
        const notBefore = fate === 'not yet' ? { notBefore: Date.now() + 3_600_000 } : {}
        const handle: TaskHandle<unknown, unknown> = await manager.submit(held.task, fate, notBefore)
        if (fate === 'not yet') return
        if (fate === 'cancel at once') return void (await drawNode().manager.task(handle.id).cancel())
        const run = await cluster.running(handle)
        run.progress({ done: 1 })
        if (fate === 'leave') return
        if (fate === 'cancel') await drawNode().manager.task(handle.id).cancel()
        else if (fate === 'return') run.return('done')
        else {
          run.throw(new Error('once'))
          const again = await cluster.running(handle, 2)
          if (fate === 'throw') again.return('at last')
          else again.throw(new Error('twice'))
        }
        await cluster.finished(handle, drawNode())
      }
      await Promise.all(Array.from({ length: 9 }, () => fates.map(live)).flat())
      const byId = (rows: Iterable<TaskDetails>): readonly TaskDetails[] =>
        [...rows].sort((a, b) => (a.taskId < b.taskId ? -1 : 1)).map(withoutPassingProgress)
      await waitUntil('the rows on every node equal the details from the histories', async () => {
        const folds = byId((await cluster.folds()).values())
        const listed = await Promise.all(nodes.map((node) => cluster.listed(node)))
        observe({ folds, listed: listed[0] })
        return folds.length === 9 * fates.length && listed.every((rows) => isDeepStrictEqual(byId(rows), folds))
      })
      const [first, ...others] = await Promise.all(nodes.map((node) => cluster.listed(node)))
      for (const other of others)
        same(other.map(withoutPassingProgress), first?.map(withoutPassingProgress), 'the list of another node, beside that of the first')
    },
  }),
  clustered({
    id: 'TM-3.7',
    kind: 'plain',
    title: 'a subscriber on any node receives each step of each task once, wherever the step was made',
    hint: 'publish after every append, to every node including the own',
    run: async (cluster, { waitUntil }) => {
      const nodes = await cluster.nodes(3, { tasks: [echoTask] })
      const heard = nodes.map(({ manager }) => {
        const notices: TaskNotice[] = []
        manager.subscribe((notice) => notices.push(notice))
        return notices
      })
      for (const { manager } of nodes) {
        const handle = await manager.submit(echoTask, null)
        const history = (await cluster.finished(handle, nodes[0])) && (await handle.history())
        const expected = history.map(({ version, type, node }) => ({ version, type, node }))
        for (const notices of heard)
          await waitUntil(`every node receives ${expected.map(({ type }) => type).join(', ')} of task ${handle.id}`, () => {
            const own = notices.filter(({ taskId }) => taskId === handle.id).map(({ version, type, node }) => ({ version, type, node }))
            return isDeepStrictEqual(
              own.sort((a, b) => a.version - b.version),
              expected,
            )
          })
      }
      // A second copy of a notice may be late: by now the notices of later tasks have arrived.
      for (const notices of heard)
        for (const notice of notices)
          same(
            notices.filter(({ taskId, version }) => taskId === notice.taskId && version === notice.version).length,
            1,
            `how many notices were published of version ${notice.version} of task ${notice.taskId}`,
          )
    },
  }),
  clustered({
    id: 'TM-3.8',
    kind: 'plain',
    title: 'every node knows the nodes that are alive; a closed node is no longer among them',
    hint: 'renew the registration of a node before the node is handed out, and leave when it closes',
    run: async (cluster, { within }) => {
      const nodes = await cluster.nodes(3, { tasks: [echoTask], worker: { slots: 3 } })
      const alive = async (): Promise<readonly (readonly string[])[]> =>
        Promise.all(nodes.slice(1).map(async ({ manager }) => (await manager.nodes()).map(({ nodeId }) => nodeId).sort()))
      const ids = nodes.map(({ manager }) => manager.nodeId)
      for (const known of await alive()) same(known, [...ids].sort(), 'the nodes that a node knows')
      const own = (await nodes[0].manager.nodes()).find(({ nodeId }) => nodeId === ids[0])
      same([own?.name, own?.queues], ['node-1', { default: 3 }], 'name and queues of a node, as others see it')
      await within('the node closed', nodes[0].manager.close())
      for (const known of await alive()) same(known, ids.slice(1).sort(), 'the nodes that a node knows after one was closed')
    },
  }),
  clustered({
    id: 'TM-3.9',
    kind: 'fault',
    title: 'a listing and a bus that fail for a while stop nothing: tasks run and end, and the rows follow',
    hint: 'retry in the background what could not be written after an event',
    run: async (cluster, { waitUntil }) => {
      const held = cluster.held()
      const worker = await cluster.node({ tasks: [held.task] })
      const front = await cluster.node({ tasks: [held.task], worker: false })
      const [handle, run] = await cluster.start(front, held)
      const heal = [worker.faults.fail('before', calls('listing.save')), worker.faults.fail('before', calls('bus.publish'))]
      run.return('done')
      await cluster.status(handle, 'completed', front)
      for (const end of heal) end()
      await waitUntil('the row says that it completed', async () => (await front.manager.list({ status: 'completed' })).tasks.length === 1)
      same((await cluster.finished(handle, front)).result, 'done', 'the result of the task')
    },
  }),
]

/** The progress of a running task is not part of its history. */
const withoutPassingProgress = (details: TaskDetails): TaskDetails => {
  if (isFinalStatus(details.status)) return details
  const { progress: _progress, ...rest } = details
  return rest
}
