import assert from 'node:assert/strict'
import type { JsonValue } from '@taskledger/core'
import { defineTask, unchecked } from '@taskledger/core'
import { isFinalStatus } from '@taskledger/core/ports'
import type { TaskId } from '@taskledger/core/ports'
import type { Rule } from '../../rule.ts'
import type { Adapters } from './adapters.ts'
import type { ClusterNode } from './cluster.ts'
import { clustered } from './cluster.ts'
import { hesitate } from './hesitation.ts'
import { calls } from './interference.ts'

const serial = { queues: { one: { slots: 1, mode: 'serial' } } } as const

/** Rules 3.x, continued: one task of a queue at a time. */
export const serialRules: readonly Rule<Adapters>[] = [
  clustered({
    id: 'TM-3.16',
    level: 'must',
    kind: 'race',
    title: 'a serial queue runs one task at a time in the whole cluster, each of them once, whoever submitted it',
    hint: 'the engine has to know who may consume: a limit on each node is none for the cluster',
    run: async (cluster, { random, within, observe }) => {
      const ran: TaskId[] = []
      let running = 0
      let mostRunning = 0
      const task = defineTask({
        type: 'serial',
        queue: 'one',
        run: async ({ taskId }) => {
          mostRunning = Math.max(mostRunning, ++running)
          ran.push(taskId)
          await hesitate(random)
          running--
        },
      })
      const nodes = await cluster.nodes(3, { tasks: [task], worker: serial })
      const submits = Array.from({ length: 60 }, (_, index) => (nodes[index % 3] ?? nodes[0]).manager.submit(task))
      const handles = await within('every submit was acknowledged', Promise.all(submits))
      await within('every task ended', Promise.all(handles.map(({ id }) => nodes[0].manager.task(id).finished())))
      observe({ ran, mostRunning })
      assert.equal(mostRunning, 1)
      assert.deepEqual([...ran].sort(), handles.map(({ id }) => id).sort())
    },
  }),
  clustered({
    id: 'TM-3.17',
    level: 'must',
    kind: 'race',
    title: 'the end of a task is visible, in details and list, on every node, to whatever starts after it in a serial queue',
    hint: 'the handler of a delivery ends when history, row and notice are written, and the next delivery comes after that',
    run: async (cluster, { random, within }) => {
      const nodes: ClusterNode[] = []
      const ended: TaskId[] = []
      const invisible: string[] = []
      const lookAt = async ({ manager }: ClusterNode, self: TaskId): Promise<void> => {
        const completed = new Set((await manager.list({ status: ['completed', 'failed'], limit: 1_000 })).tasks.map(({ taskId }) => taskId))
        for (const id of ended) if (!completed.has(id)) invisible.push(`task ${id} was not in the list of what ended, on ${manager.nodeId}`)
        const running = (await manager.list({ status: ['inProgress', 'cancelRequested'] })).tasks.map(({ taskId }) => taskId)
        if (running.join() !== self) invisible.push(`${running.join()} ran by the list on ${manager.nodeId}, ${self} by its body`)
        const last = ended.at(-1)
        if (last !== undefined && !isFinalStatus((await manager.task(last).details()).status)) invisible.push(`task ${last} had not ended`)
      }
      const task = defineTask({
        type: 'looking',
        queue: 'one',
        payload: unchecked<JsonValue>(),
        run: async ({ taskId, payload }) => {
          for (const node of nodes) await lookAt(node, taskId)
          ended.push(taskId)
          if (payload === 'fail') throw new Error('no')
        },
      })
      nodes.push(...(await cluster.nodes(3, { tasks: [task], worker: serial })))
      const [first] = nodes
      assert.ok(first !== undefined)
      // Rows may take their time: whatever starts next has to wait for them.
      for (const { interference } of nodes) interference.slow(calls('listing.save'), () => hesitate(random))
      const handles = await first.manager.submitMany(
        task,
        Array.from({ length: 50 }, (_, index) => (index % 5 === 0 ? 'fail' : 'complete')),
      )
      await within('every task ended', Promise.all(handles.map((handle) => handle.finished())))
      assert.deepEqual([ended.length, invisible], [50, []])
    },
  }),
]
