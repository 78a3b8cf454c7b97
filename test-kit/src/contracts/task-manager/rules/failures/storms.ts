import type { JsonValue, TaskDefinition } from '@taskledger/core'
import { codeOf, defineTask, unchecked } from '@taskledger/core'
import type { TaskId } from '@taskledger/core/ports'
import { isFinalStatus } from '@taskledger/core/ports'
import type { Rule } from '../../../../framework/rule.ts'
import type { Adapters } from '../../../../faults/adapters.ts'
import type { ClusterNode } from '../../../../faults/cluster-node.ts'
import { clustered, sortedIds } from '../../stage/clustered.ts'
import { jitter } from '../../stage/jitter.ts'
import { outcomeOf } from '../../../outcome.ts'
import { holds, same } from '../../../expectations.ts'

/** A task that counts its runs and takes some turns of the event loop. */
const countingTask = (
  random: () => number,
): { task: TaskDefinition<JsonValue>; runsOf(taskId: TaskId): number; readonly total: number } => {
  const runs = new Map<TaskId, number>()
  const task = defineTask({
    type: 'counting',
    payload: unchecked<JsonValue>(),
    run: async ({ taskId, signal }) => {
      await jitter(random)
      signal.throwIfAborted()
      runs.set(taskId, (runs.get(taskId) ?? 0) + 1)
    },
  })
  return {
    task,
    runsOf: (taskId) => runs.get(taskId) ?? 0,
    get total() {
      return [...runs.values()].reduce((sum, count) => sum + count, 0)
    },
  }
}

const drawnFrom = <T>(random: () => number, items: readonly T[]): T => items[Math.floor(random() * items.length)] as T

/** Rules 5.x: storms. */
export const stormRules: readonly Rule<Adapters>[] = [
  clustered({
    id: 'TM-5.1',
    kind: 'race',
    title: 'a message that is delivered many times, to every node at once, runs its task once',
    hint: 'the node that appends TaskStarted runs the task; every other claim meets a conflict and is refused',
    run: async (cluster, { random }) => {
      const { task, runsOf } = countingTask(random)
      const nodes = await cluster.nodes(3, { tasks: [task], worker: { slots: 5 } })
      for (const { faults } of nodes) faults.copies = 3
      const handles = await nodes[0].manager.submitMany(
        task,
        Array.from({ length: 60 }, (_, index) => index),
      )
      for (const { id } of handles) await cluster.send({ taskId: id })
      await cluster.allFinished(handles.map((handle) => handle.finished()))
      for (const { id } of handles) await cluster.send({ taskId: id, version: 3 })
      // Sent last: when they have run on every node, earlier messages have been taken.
      const last = await nodes[2].manager.submitMany(
        task,
        Array.from({ length: 60 }, (_, index) => index),
      )
      await cluster.allFinished(last.map((handle) => handle.finished()))
      for (const handle of [...handles, ...last]) {
        same(runsOf(handle.id), 1, `how often task ${handle.id} ran`)
        same(
          (await handle.history()).map(({ type }) => type),
          ['TaskCreated', 'TaskStarted', 'TaskCompleted'],
          `the events of task ${handle.id}`,
        )
      }
    },
  }),
  clustered({
    id: 'TM-5.2',
    kind: 'race',
    title: '64 submitters storm three nodes: every submit is acknowledged, every task runs once, and no listed task stays without a run',
    hint: 'the wait of one submitter must not block another, and no message may be dropped',
    run: async (cluster, { random, within, waitUntil }) => {
      const counting = countingTask(random)
      const nodes = await cluster.nodes(3, { tasks: [counting.task], worker: { slots: 8 } })
      const submitter = async (_: unknown, index: number): Promise<readonly TaskId[]> => {
        const ids: TaskId[] = []
        for (let time = 0; time < 10; time++) {
          await jitter(random)
          ids.push((await drawnFrom(random, nodes).manager.submit(counting.task, [index, time])).id)
        }
        return ids
      }
      const ids = (await within('every submit was acknowledged', Promise.all(Array.from({ length: 64 }, submitter)))).flat()
      await cluster.allFinished(ids.map((id) => drawnFrom(random, nodes).manager.task(id).finished()))
      for (const id of ids) same(counting.runsOf(id), 1, `how often task ${id} ran`)
      same(counting.total, 640, 'how many bodies ran')
      await waitUntil('the list shows every task as completed', async () => {
        const rows = await cluster.listed(nodes[1])
        return rows.length === 640 && rows.every(({ status }) => status === 'completed')
      })
    },
  }),
  clustered({
    id: 'TM-5.3',
    kind: 'fault',
    title:
      '64 submitters storm a storage and messaging that sometimes fail: each submit is acknowledged or rejected, and each acknowledged or listed task runs once',
    hint: 'write row and message together, and retry in the background a message that could not be sent',
    run: async (cluster, { random, within, waitUntil, observe }) => {
      const counting = countingTask(random)
      await cluster.node({ tasks: [counting.task], worker: { slots: 8 } })
      // The first gives up at once, the second retries.
      const fronts = [
        await cluster.node({ tasks: [counting.task], worker: false, commandTimeoutMs: 0 }),
        await cluster.node({ tasks: [counting.task], worker: false }),
      ]
      for (const { faults } of fronts)
        for (const moment of ['before', 'after'] as const) faults.fail(moment, ({ name }) => name !== 'events.read' && random() < 0.1)
      const acknowledged: TaskId[] = []
      const refusals: unknown[] = []
      const submitter = async (): Promise<void> => {
        for (let time = 0; time < 5; time++) {
          await jitter(random)
          const thrown = await outcomeOf(
            drawnFrom(random, fronts)
              .manager.submit(counting.task, time)
              .then(({ id }) => acknowledged.push(id)),
          )
          if (thrown !== undefined) refusals.push(thrown)
        }
      }
      await within('every submit was answered', Promise.all(Array.from({ length: 64 }, submitter)))
      observe({ acknowledged: acknowledged.length, refused: refusals.length })
      same(acknowledged.length + refusals.length, 320, 'how many submits ended')
      same([...new Set(refusals.map(codeOf))].join(), refusals.length > 0 ? 'OUTCOME_UNKNOWN' : '', 'the codes of the submits that failed')
      const [calm] = [await cluster.node({ tasks: [counting.task], worker: false })]
      await cluster.allFinished(acknowledged.map((id) => calm.manager.task(id).finished()))
      await waitUntil('every listed task has completed', async () =>
        (await cluster.listed(calm)).every(({ status }) => isFinalStatus(status)),
      )
      const rows = await cluster.listed(calm)
      const listed = new Set(rows.map(({ taskId }) => taskId))
      for (const id of acknowledged) holds(listed.has(id), `the acknowledged task ${id} is not listed`)
      for (const { taskId, status, attempt } of rows)
        same([status, attempt, counting.runsOf(taskId)], ['completed', 1, 1], `status and attempt of task ${taskId}, and how often it ran`)
    },
  }),
  clustered({
    id: 'TM-5.4',
    kind: 'race',
    title: '32 cancellers storm 400 waiting tasks: each call returns within its bound with "cancelled", and none of the tasks runs',
    hint: 'an acknowledged cancellation is in the history, whatever happens to its notice',
    run: async (cluster, { random, within, waitUntil }) => {
      const held = cluster.held()
      const counting = countingTask(random)
      const tasks = [held.task, counting.task]
      const worker = await cluster.node({ tasks, worker: { slots: 2 } })
      const [front, third] = await cluster.nodes(2, { tasks, worker: false })
      const blockers = [await cluster.start(front, held), await cluster.start(front, held)]
      const handles = await front.manager.submitMany(
        counting.task,
        Array.from({ length: 400 }, (_, index) => index),
      )
      const nodes = [worker, front, third]
      // Two cancellers cancel each task.
      const canceller = async (_: unknown, index: number): Promise<void> => {
        for (let at = index; at < 2 * handles.length; at += 32) {
          await jitter(random)
          const { id } = handles[at % handles.length] ?? front.manager.task('')
          const { outcome } = await within(`cancel of task ${id} returned`, drawnFrom(random, nodes).manager.task(id).cancel())
          same(outcome, 'cancelled', 'the outcome of a cancel before the start')
        }
      }
      await Promise.all(Array.from({ length: 32 }, canceller))
      same((await front.manager.list({ status: 'waiting' })).tasks, [], 'the list of waiting tasks')
      for (const [, run] of blockers) run.return()
      // Sent last, one for each slot: when both run, everything else has been handled.
      const last = [await front.manager.submit(held.task, 1), await front.manager.submit(held.task, 2)]
      const { handedOver } = worker.faults.deliveries
      const areReached = (): boolean => last.every(({ id }) => held.find(id) !== undefined)
      // The messages of the cancelled tasks may take long, as long as the node continues to take them.
      while (!areReached()) {
        const before = handedOver.length
        await waitUntil(`the next message is taken, after ${before}`, () => areReached() || handedOver.length > before)
      }
      same(counting.total, 0, 'how many of the cancelled tasks ran')
      const cancelled = await front.manager.list({ status: 'cancelled', limit: 1_000 })
      same(sortedIds(cancelled.tasks), sortedIds(handles), 'the list of cancelled tasks')
      for (const { id } of handles) same((await third.manager.task(id).details()).attempt, 0, `the attempt of the cancelled task ${id}`)
    },
  }),
  clustered({
    id: 'TM-5.5',
    kind: 'race',
    title: 'cancellers race workers over 300 tasks that wait, run and end: each caller is told the truth, and each task ends once',
    hint: 'each command decides on the version before its own append',
    run: async (cluster, { random, within, observe }) => {
      const counting = countingTask(random)
      const nodes = await cluster.nodes(3, { tasks: [counting.task], worker: { slots: 2 } })
      const handles = await nodes[0].manager.submitMany(
        counting.task,
        Array.from({ length: 300 }, (_, index) => index),
      )
      const cancels = handles.map(async (handle) => {
        for (let time = 0; time < random() * 10; time++) await jitter(random)
        return (await within('the call returned', drawnFrom(random, nodes).manager.task(handle.id).cancel())).outcome
      })
      const outcomes = await Promise.all(cancels)
      for (const [index, handle] of handles.entries()) {
        const { status, attempt } = await cluster.finished(handle, drawnFrom(random, nodes))
        const outcome = outcomes[index]
        observe({ outcome, history: await handle.history() })
        if (outcome === 'cancelled')
          same([status, attempt], ['cancelled', 0], 'status and attempt of a task whose caller was told that it is cancelled')
        else if (outcome === 'finished') same(status, 'completed', 'the status of a task whose caller was told that it had finished')
        else holds(isFinalStatus(status) && attempt === 1, `a task is ${status} after attempt ${attempt}`)
        same(counting.runsOf(handle.id), status === 'completed' ? 1 : 0, `how often task ${handle.id} ran`)
      }
    },
  }),
  clustered({
    id: 'TM-5.6',
    kind: 'race',
    title: 'a node that shuts down during a storm loses nothing: every task completes once, on another node',
    hint: 'hand back running tasks, return fetched messages to the queue, and send promised messages before closing',
    run: async (cluster, { random, within, waitUntil }) => {
      const counting = countingTask(random)
      const [going, staying, front] = await cluster.nodes(3, { tasks: [counting.task], worker: { slots: 3 } })
      const nodes: readonly ClusterNode[] = [staying, front]
      const submitting = Array.from({ length: 16 }, async () => {
        const ids: TaskId[] = []
        for (let time = 0; time < 15; time++) {
          await jitter(random)
          ids.push((await drawnFrom(random, nodes).manager.submit(counting.task, time)).id)
        }
        return ids
      })
      await waitUntil('the storm is under way', () => counting.total > 20)
      await within('the node closed', going.manager.close({ drainMs: 0 }))
      const ids = (await within('every submit was acknowledged', Promise.all(submitting))).flat()
      for (const id of ids) {
        const { status } = await cluster.finished({ id }, front)
        same([status, counting.runsOf(id)], ['completed', 1], `status of task ${id}, and how often it ran`)
      }
    },
  }),
]
