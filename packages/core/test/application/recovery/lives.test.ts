import { codeOf, defineTask, taskIdOfKey } from '@taskledger/core'
import type { TaskEvent } from '@taskledger/core/ports'
import { detailsOf } from '@taskledger/core/ports'
import { appendsOf, calls } from '@taskledger/test-kit/faults'
import { describe, expect, it } from 'vitest'
import { VirtualCluster } from '../virtual-cluster.ts'

const front = { worker: false } as const
const key = { idempotencyKey: 'key' } as const

const types = (history: readonly TaskEvent[]): readonly string[] => history.map(({ type }) => type)

describe('the fencing token', () => {
  const fences: number[] = []
  const fenced = defineTask({
    type: 'fenced',
    retry: { maxAttempts: 2, backoff: { initialMs: 100 } },
    run: ({ fence, attempt }) => {
      fences.push(fence)
      if (attempt === 1) throw new Error('the first attempt fails')
    },
  })

  it('grows over the attempts of a task, and over a removal and the next use of its key', async () => {
    fences.length = 0
    await using cluster = new VirtualCluster()
    const node = await cluster.node({ tasks: [fenced] })
    for (let life = 0; life < 3; life++) {
      const task = await node.manager.submit(fenced, undefined, key)
      await cluster.advance(1_000)
      expect((await task.details()).fence).toBe(fences.at(-1))
      expect(await node.manager.purge({ finishedBefore: cluster.clock.now() })).toMatchObject({ removed: 1 })
    }
    expect(fences).toHaveLength(6)
    expect(fences).toEqual([...new Set(fences)].sort((a, b) => a - b))
  })

  it('grows although the next task runs on a node whose clock is an hour behind: a purge waits for the slowest clock', async () => {
    fences.length = 0
    await using cluster = new VirtualCluster()
    const frontEnd = await cluster.node({ ...front, tasks: [fenced] })
    const ahead = await cluster.node({ tasks: [fenced] })
    ahead.process.skewMs = 3_600_000
    await cluster.advance(20_000)
    const task = await frontEnd.manager.submit(fenced, undefined, key)
    await cluster.advance(10_000)
    expect((await task.details()).status).toBe('completed')
    await ahead.manager.close()
    const finishedBefore = cluster.clock.now() + 7_200_000
    expect(await frontEnd.manager.purge({ finishedBefore })).toEqual({ removed: 0, deferred: 1, unreadable: 0 })
    await cluster.advance(3_600_000)
    expect(await frontEnd.manager.purge({ finishedBefore })).toEqual({ removed: 1, deferred: 0, unreadable: 0 })
    await cluster.node({ tasks: [fenced] })
    await frontEnd.manager.submit(fenced, undefined, key)
    await cluster.advance(10_000)
    expect(fences).toHaveLength(4)
    expect(fences).toEqual([...fences].sort((a, b) => a - b))
  })

  it('does not delay the removal of a task without a key: its id does not come back', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node({ tasks: [fenced] })
    node.process.skewMs = 3_600_000
    await node.manager.submit(fenced)
    // A clock that was set makes the node look whether it still holds its lease.
    await cluster.advance(3_000)
    node.process.skewMs = 0
    expect(await node.manager.purge({ finishedBefore: cluster.clock.now() + 7_200_000 })).toMatchObject({ removed: 1 })
  })
})

describe('a task whose key is used again after a purge', () => {
  it('is not settled by the late end of the task before, although both histories are at the same version', async () => {
    await using cluster = new VirtualCluster()
    const held = cluster.held()
    const slow = await cluster.node({ tasks: [held.task], worker: { slots: 1 } })
    const first = await slow.manager.submit(held.task, 1, key)
    await cluster.untilRunning(first, 1)
    slow.faults.slow(appendsOf('TaskCompleted'), () => cluster.clock.sleep(5_000))
    cluster.run(first).return('too late')
    await cluster.advance(100)
    // Another node has ended the attempt meanwhile.
    await cluster.write(first.id, { type: 'TaskFailed', attempt: 1, error: { name: 'Error', message: 'it seemed dead' } })
    const ended = detailsOf(await cluster.history(first))
    if (ended !== undefined) await cluster.storage.listing.save(ended)
    const node = await cluster.node({ tasks: [held.task] })
    await cluster.advance(100)
    expect(await node.manager.purge({ finishedBefore: cluster.clock.now() })).toMatchObject({ removed: 1 })
    const second = await node.manager.submit(held.task, 2, key)
    await cluster.advance(1_000)
    expect([second.id, types(await cluster.history(second))]).toEqual([first.id, ['TaskCreated', 'TaskStarted']])
    await cluster.advance(10_000)
    expect(types(await cluster.history(second))).toEqual(['TaskCreated', 'TaskStarted'])
    held.runs.at(-1)?.return('in time')
    await cluster.advance(1_000)
    expect(await second.details()).toMatchObject({ status: 'completed', result: 'in time' })
  })

  it('is not removed by a purge that was interrupted before its removal', async () => {
    await using cluster = new VirtualCluster()
    const held = cluster.held()
    const slow = await cluster.node({ ...front, tasks: [held.task] })
    const node = await cluster.node({ tasks: [held.task] })
    const first = await node.manager.submit(held.task, 1, key)
    await cluster.untilRunning(first, 1)
    cluster.run(first).return()
    await cluster.advance(1_000)
    const finishedBefore = cluster.clock.now()
    slow.faults.slow(calls('events.remove'), () => cluster.clock.sleep(5_000))
    const purging = slow.manager.purge({ finishedBefore })
    await cluster.advance(1_000)
    expect(await node.manager.purge({ finishedBefore })).toMatchObject({ removed: 1 })
    const second = await node.manager.submit(held.task, 2, key)
    await cluster.advance(10_000)
    await purging
    expect(types(await cluster.history(second))).toEqual(['TaskCreated', 'TaskStarted'])
    expect(await cluster.row(second)).toMatchObject({ status: 'inProgress' })
  })

  it('is not hurt by the row that an interrupted purge of the task before has left', async () => {
    await using cluster = new VirtualCluster()
    const held = cluster.held()
    const node = await cluster.node({ tasks: [held.task], commandTimeoutMs: 100 })
    const first = await node.manager.submit(held.task, 1, key)
    await cluster.untilRunning(first, 1)
    cluster.run(first).return()
    await cluster.advance(1_000)
    const finishedBefore = cluster.clock.now()
    node.faults.fail('before', calls('listing.remove'))
    const failed = node.manager.purge({ finishedBefore }).catch((error: unknown) => error)
    await cluster.advance(1_000)
    expect(codeOf(await failed)).toBe('UNAVAILABLE')
    node.faults.heal()
    const second = await node.manager.submit(held.task, 2, key)
    await cluster.advance(1_000)
    expect(await node.manager.purge({ finishedBefore })).toMatchObject({ removed: 1 })
    expect(types(await cluster.history(second))).toEqual(['TaskCreated', 'TaskStarted'])
    const { tasks } = await node.manager.list()
    expect(tasks.map(({ status }) => status)).toEqual(['inProgress'])
  })

  it('is not cancelled by a request for the task before', async () => {
    await using cluster = new VirtualCluster()
    const held = cluster.held()
    const slow = await cluster.node({ ...front, tasks: [held.task] })
    const node = await cluster.node({ tasks: [held.task] })
    const first = await node.manager.submit(held.task, 1, key)
    await cluster.untilRunning(first, 1)
    slow.faults.slow(calls('events.append'), () => cluster.clock.sleep(5_000))
    const cancelled = slow.manager
      .task(taskIdOfKey('held', 'key'))
      .cancel()
      .catch((error: unknown) => error)
    await cluster.advance(1_000)
    cluster.run(first).return()
    await cluster.advance(1_000)
    expect(await node.manager.purge({ finishedBefore: cluster.clock.now() })).toMatchObject({ removed: 1 })
    const second = await node.manager.submit(held.task, 2, key)
    await cluster.advance(10_000)
    expect(codeOf(await cancelled)).toBe('TASK_NOT_FOUND')
    expect(types(await cluster.history(second))).toEqual(['TaskCreated', 'TaskStarted'])
  })
})
