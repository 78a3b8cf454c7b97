import type { TaskHandle, TaskId } from '@taskledger/core'
import { silentLogger } from '@taskledger/core'
import type { EventDraft } from '@taskledger/core/testing'
import { virtualClock } from '@taskledger/core/testing'
import { createMemory } from '@taskledger/memory'
import type { HeldRun } from '@taskledger/test-kit/faults'
import { describe, expect, it } from 'vitest'
import { fold, noTask } from '../../../src/application/commands/aggregate.ts'
import { Suspects } from '../../../src/application/worker/suspects.ts'
import { completeEvents } from '../../../src/testing/given-when-then.ts'
import { created, started } from '../../domain/stories.ts'
import { VirtualCluster } from '../virtual-cluster.ts'

type Handle = TaskHandle<unknown, unknown>

/** Tasks whose nodes were killed twice: each of them may be the cause. */
const suspects = async (cluster: VirtualCluster, count: number): Promise<readonly Handle[]> => {
  const front = await cluster.node({ worker: false })
  const tasks: Handle[] = []
  for (let index = 0; index < count; index++) tasks.push(await front.manager.submit(cluster.held().task, index))
  for (let attempt = 1; attempt <= 2; attempt++) {
    const doomed = await cluster.node({ worker: { slots: count } })
    for (const task of tasks) await cluster.untilRunning(task, attempt)
    await doomed.kill()
    await cluster.until('the deaths are declared', async () => {
      const all = await Promise.all(tasks.map((task) => task.details()))
      return all.every(({ crashes, status }) => crashes === attempt && status === 'waiting')
    })
  }
  // The backoff after the second crash.
  await cluster.advance(2_000)
  return tasks
}

const going = (cluster: VirtualCluster, attempt: number): readonly HeldRun[] =>
  cluster.runs.filter((run) => run.attempt === attempt && run.ended === undefined)

describe('tasks that have crashed twice', () => {
  it('run one at a time on a node, beside other tasks, each as soon as the one before has ended', async () => {
    await using cluster = new VirtualCluster()
    const tasks = await suspects(cluster, 4)
    const node = await cluster.node({ worker: { slots: 4 } })
    await cluster.advance(20_000)
    expect(going(cluster, 3)).toHaveLength(1)
    const [fresh] = await cluster.start(node)
    cluster.run(fresh).return()
    for (let left = 3; left >= 0; left--) {
      going(cluster, 3)[0]?.return('done')
      await cluster.advance(10_000)
      expect(going(cluster, 3)).toHaveLength(Math.min(left, 1))
    }
    for (const task of tasks) expect(await task.details()).toMatchObject({ status: 'completed', attempt: 3, crashes: 2 })
    await cluster.advance(60_000)
    expect(cluster.depth()).toBe(0)
  })

  it('run on several nodes at a time, one on each', async () => {
    await using cluster = new VirtualCluster()
    await suspects(cluster, 4)
    await cluster.node({ worker: { slots: 4 } })
    await cluster.node({ worker: { slots: 4 } })
    await cluster.until('each node runs one', () => going(cluster, 3).length === 2)
    await cluster.advance(60_000)
    expect(new Set(going(cluster, 3).map(({ node }) => node)).size).toBe(2)
    expect(going(cluster, 3)).toHaveLength(2)
  })

  it('wait for an hour at most: the one that runs may wait for another', async () => {
    const clock = virtualClock()
    const messaging = createMemory({ clock }).messaging()
    const turns = new Suspects({ clock, logger: silentLogger, messaging, closed: new AbortController().signal })
    const crash: EventDraft = { type: 'TaskDied', attempt: 1, diedOn: 'node-a', retryAt: 0 }
    const one = '018cc251-f400-7000-8000-000000000001' as TaskId
    const other = '018cc251-f400-7000-8000-000000000002' as TaskId
    const task = fold(noTask, completeEvents([created(), started(1), crash, started(2), crash]))
    const first = turns.turnOf(task, one)
    expect(first).toBeDefined()
    expect(turns.turnOf(task, other)).toBeUndefined()
    await clock.advance(3_599_000)
    expect(turns.turnOf(task, other)).toBeUndefined()
    await clock.advance(1_000)
    expect(turns.turnOf(task, other)).toBeDefined()
  })

  it('take no other suspect along: the one that kills its process ends as died, the others complete', async () => {
    await using cluster = new VirtualCluster()
    const [poison, ...others] = await suspects(cluster, 4)
    if (poison === undefined) throw new Error('there are suspects')
    // From now on a run of the poison kills its process, and every other run completes.
    for (let nodes = 0; nodes < 6; nodes++) {
      const node = await cluster.node({ worker: { slots: 4 } })
      let isDead = false
      await cluster.until(
        'the poison runs, or has ended',
        async () => {
          for (const run of cluster.runs) {
            if (run.ended !== undefined || run.node !== node.name || run.signal.aborted) continue
            if (run.taskId === poison.id) isDead = true
            else run.return('done')
          }
          return isDead || (await poison.details()).status === 'died'
        },
        600_000,
      )
      if (isDead) await node.kill()
      else break
    }
    expect(await poison.details()).toMatchObject({ status: 'died', crashes: 4 })
    await cluster.until('the others complete', async () => {
      const all = await Promise.all(others.map((task) => task.details()))
      return all.every(({ status }) => status === 'completed')
    })
    for (const task of others) expect((await task.details()).crashes).toBe(2)
  })
})

describe('a task whose node was killed once', () => {
  it('runs again at once, beside all others of that node', async () => {
    await using cluster = new VirtualCluster()
    const front = await cluster.node({ worker: false })
    const doomed = await cluster.node({ worker: { slots: 4 } })
    const tasks: Handle[] = []
    for (let index = 0; index < 4; index++) tasks.push((await cluster.start(front))[0])
    await cluster.node({ worker: { slots: 4 } })
    await cluster.advance(6_000)
    await doomed.kill()
    for (const task of tasks) await cluster.untilRunning(task, 2, 20_000)
  })
})
