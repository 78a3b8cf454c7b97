import type { JsonValue } from '@taskledger/core'
import { defineTask, unchecked } from '@taskledger/core'
import { isFinalStatus } from '@taskledger/core/ports'
import type { TaskId } from '@taskledger/core/ports'
import type { Rule } from '../../../../framework/rule.ts'
import type { Adapters } from '../../../../faults/adapters.ts'
import type { Cluster } from '../../../../faults/cluster.ts'
import type { ClusterNode } from '../../../../faults/cluster-node.ts'
import { clustered } from '../../stage/clustered.ts'
import type { HeldRun, HeldTask } from '../../../../faults/held-task.ts'
import { echoTask } from '../../stage/echo-task.ts'
import { jitter } from '../../stage/jitter.ts'
import { calls } from '../../../../faults/calls.ts'
import { holds, same } from '../../../expectations.ts'

const serial = { queues: { one: { slots: 1, mode: 'serial' } } } as const

const serialBesideParallel = { queues: { ...serial.queues, default: { slots: 1 } } } as const

/** Rules 3.x, continued: serial queues. */
export const serialRules: readonly Rule<Adapters>[] = [
  clustered({
    id: 'TM-3.16',
    kind: 'race',
    title: 'a serial queue runs one task at a time in the whole cluster, each task once, whichever node submitted it',
    hint: 'the engine has to know which consumer has the turn: a limit for each node does not limit the cluster',
    run: async (cluster, { random, within, observe }) => {
      const ran: TaskId[] = []
      let running = 0
      let maxRunning = 0
      const task = defineTask({
        type: 'serial',
        queue: 'one',
        run: async ({ taskId }) => {
          maxRunning = Math.max(maxRunning, ++running)
          ran.push(taskId)
          await jitter(random)
          running--
        },
      })
      const nodes = await cluster.nodes(3, { tasks: [task], worker: serial })
      const submits = Array.from({ length: 60 }, (_, index) => (nodes[index % 3] ?? nodes[0]).manager.submit(task))
      const handles = await within('every submit was acknowledged', Promise.all(submits))
      await cluster.allFinished(handles.map(({ id }) => nodes[0].manager.task(id).finished()))
      observe({ ran, maxRunning })
      same(maxRunning, 1, 'the largest number of tasks of the serial queue that ran at the same time')
      same([...ran].sort(), handles.map(({ id }) => id).sort(), 'the tasks that ran')
    },
  }),
  clustered({
    id: 'TM-3.17',
    kind: 'race',
    title: 'the end of a task is visible on every node, in details and list, to the next task of a serial queue',
    hint: 'the handler of a delivery ends after history, row and notice are written, and the next delivery follows after that',
    run: async (cluster, { random }) => {
      const nodes: ClusterNode[] = []
      const ended: TaskId[] = []
      const invisible: string[] = []
      const lookAt = async ({ manager }: ClusterNode, self: TaskId): Promise<void> => {
        const completed = new Set((await manager.list({ status: ['completed', 'failed'], limit: 1_000 })).tasks.map(({ taskId }) => taskId))
        for (const id of ended) if (!completed.has(id)) invisible.push(`task ${id} was not in the list of what ended, on ${manager.nodeId}`)
        const running = (await manager.list({ status: ['inProgress', 'cancelRequested'] })).tasks.map(({ taskId }) => taskId)
        // The row of its own start may not be saved yet.
        const others = running.filter((taskId) => taskId !== self)
        if (others.length > 0) invisible.push(`${others.join()} ran by the list on ${manager.nodeId}, ${self} by its body`)
        const last = ended.at(-1)
        if (last !== undefined && !isFinalStatus((await manager.task(last).details()).status)) invisible.push(`task ${last} had not ended`)
      }
      const task = defineTask({
        type: 'looking',
        queue: 'one',
        payload: unchecked<JsonValue>(),
        run: async ({ taskId, payload }) => {
          await Promise.all(nodes.map((node) => lookAt(node, taskId)))
          ended.push(taskId)
          if (payload === 'fail') throw new Error('no')
        },
      })
      nodes.push(...(await cluster.nodes(3, { tasks: [task], worker: serial })))
      const [first] = nodes
      holds(first !== undefined, 'the first task did not run')
      // Rows may be slow: the next task has to wait for them.
      for (const { faults } of nodes) faults.slow(calls('listing.save'), () => jitter(random))
      const handles = await first.manager.submitMany(
        task,
        Array.from({ length: 50 }, (_, index) => (index % 5 === 0 ? 'fail' : 'complete')),
      )
      await cluster.allFinished(handles.map((handle) => handle.finished()))
      same([ended.length, invisible], [50, []], 'how many tasks ended, and those that saw no progress of the task before')
    },
  }),
  clustered({
    id: 'TM-3.28',
    kind: 'fault',
    title: 'a message of a serial queue that is delivered again while its task runs lets no other task of the queue begin, on any node',
    hint: 'the engine gives the turn to the consumer of the message: a node that finds the task in progress on a live node holds both until that run ends',
    run: async (cluster) => {
      const held = cluster.held({ queue: 'one' })
      const node = await cluster.node({ tasks: [held.task, echoTask], worker: serialBesideParallel })
      node.faults.deliveries.acceptsAtEnd = true
      const [first, firstRun] = await cluster.start(node, held)
      node.faults.deliveries.lose()
      await handedAgain(cluster, first.id, node)
      await nothingElseBegins(cluster, held, node, first, firstRun)

      // On another node: a draining node takes nothing more, so the other node gets the message.
      const [second, secondRun] = await cluster.start(node, held)
      const heir = await cluster.node({ tasks: [held.task, echoTask], worker: serialBesideParallel })
      heir.faults.deliveries.acceptsAtEnd = true
      const drained = node.manager.worker?.drain()
      node.faults.deliveries.lose()
      await handedAgain(cluster, second.id, heir, 1)
      await nothingElseBegins(cluster, held, heir, second, secondRun)
      await drained
      same(held.runs.length, 4, 'how many bodies ran')
    },
  }),
  clustered({
    id: 'TM-3.29',
    kind: 'fault',
    title: 'a message of a serial queue whose task is in progress on a dead node does not stop the queue',
    hint: 'ask the registry whether the node of the attempt is alive, and ask again after a gap and at each renewal',
    run: async (cluster, { within }) => {
      const held = cluster.held({ queue: 'one' })
      const front = await cluster.node({ tasks: [held.task], worker: false })
      const { storage } = await cluster.outside()
      const renew = (): Promise<void> =>
        storage.nodes.renew(
          { nodeId: 'outside', name: 'outside', startedAt: 0, renewedAt: 0, queues: {}, running: 1, delivered: {} },
          60_000,
        )
      await renew()
      const orphan = await front.manager.submit(held.task, 'orphan')
      await cluster.write(orphan.id, { type: 'TaskStarted', attempt: 1 })
      const next = await front.manager.submit(held.task, 'next')
      const node = await cluster.node({ tasks: [held.task, echoTask], worker: serialBesideParallel })
      await handedAgain(cluster, orphan.id, node, 1)
      await passOf(cluster, node)
      same(held.runs.length, 0, 'how many tasks began although the one before them runs on a live node')
      await within('the node left', storage.nodes.leave('outside'))
      node.faults.gap()
      ;(await cluster.running(next)).return('went on')
      same((await cluster.finished(next, front)).result, 'went on', 'the result of the next task of the queue')
      same(
        (await orphan.details()).status,
        'inProgress',
        'the status of a task whose node lives: only its node, or the death of its node, may end the attempt',
      )
    },
  }),
]

/** Waits until the message of a task was delivered to a node a number of times. */
const handedAgain = async (cluster: Cluster, taskId: TaskId, { faults }: ClusterNode, times = 2): Promise<void> => {
  const isHandedAgain = (): boolean => faults.deliveries.handedOver.filter((id) => id === taskId).length >= times
  await cluster.until(`the message of task ${taskId} was delivered ${times} times`, isHandedAgain)
}

/** Waits until tasks that were sent later to the same worker have ended: enough time for a task that must not begin. */
const passOf = async (cluster: Cluster, node: ClusterNode): Promise<void> => {
  for (let pass = 0; pass < 3; pass++) await cluster.finished(await node.manager.submit(echoTask, pass), node)
}

/** Checks that another task begins, but not before the run has ended. */
const nothingElseBegins = async (
  cluster: Cluster,
  held: HeldTask,
  node: ClusterNode,
  handle: { readonly id: TaskId },
  run: HeldRun,
): Promise<void> => {
  const other = await node.manager.submit(held.task, 'other')
  await passOf(cluster, node)
  same(held.find(other.id), undefined, `the run of task ${other.id}, while ${handle.id} still runs`)
  run.return('once')
  same((await cluster.finished(handle, node)).attempt, 1, 'the attempt of the task that ran on')
  ;(await cluster.running(other)).return()
  await cluster.finished(other, node)
}
