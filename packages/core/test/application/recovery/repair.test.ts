import type { TaskHandle, TaskManager } from '@taskledger/core'
import { codeOf, defineTask } from '@taskledger/core'
import { calls } from '@taskledger/test-kit/faults'
import { describe, expect, it } from 'vitest'
import { VirtualCluster } from '../virtual-cluster.ts'

const front = { worker: false } as const

/** Awaits a promise while time passes. */
const during = async <T>(cluster: VirtualCluster, promise: Promise<T>, ms = 1_000): Promise<T> => {
  const [value] = await Promise.all([promise, cluster.advance(ms)])
  return value
}

describe('the doctor', () => {
  it('finds nothing if all is well', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    await cluster.start(node)
    await node.manager.submit(cluster.held().task, null, { notBefore: cluster.clock.now() + 3_600_000 })
    await cluster.advance(60_000)
    expect(await during(cluster, node.manager.doctor())).toEqual({ findings: [], examined: 2, isComplete: true })
  })

  it('reports that nobody takes a task while the workers of its queue are paused, draining or closed', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node(front)
    const worker = await cluster.node()
    const queuesOf = async (): Promise<unknown> => (await node.manager.nodes()).find(({ nodeId }) => nodeId === worker.id)?.queues
    const told = async (): Promise<readonly string[]> => (await during(cluster, node.manager.doctor())).findings.map(({ why }) => why)
    worker.manager.worker?.pause()
    await node.manager.submit(cluster.held().task, null)
    await cluster.advance(15_000)
    expect(await queuesOf()).toEqual({ default: 0 })
    const why = `no live node takes from queue default; the worker of node ${worker.id} is paused or draining`
    expect(await told()).toEqual([why])
    worker.manager.worker?.resume()
    await cluster.advance(15_000)
    expect(await queuesOf()).toEqual({ default: 4 })
    expect(await told()).toEqual([])
    await during(cluster, worker.manager.worker?.close() ?? Promise.resolve())
    await node.manager.submit(cluster.held().task, null)
    await cluster.advance(15_000)
    expect(await queuesOf()).toEqual({})
    expect(await told()).toEqual(expect.arrayContaining(['no live node takes from queue default']))
  })

  // Older releases of Node.js cannot tell cheaply which body awaits.
  it.runIf(Number.parseInt(process.versions.node, 10) >= 24).each<[string, (child: TaskHandle, signal: AbortSignal) => Promise<unknown>]>([
    ['by result', (child, signal) => child.result({ signal })],
    [
      'by watching it',
      async (child, signal) => {
        for await (const _ of child.watch({ signal }));
      },
    ],
  ])('reports that every slot awaits a task of its queue, until one is free: %s', async (_how, ended) => {
    await using cluster = new VirtualCluster()
    const held = cluster.held()
    const running: { manager?: TaskManager } = {}
    const parent = defineTask({
      type: 'parent',
      run: async ({ signal }) => {
        const child = await running.manager?.submit(held.task, null)
        if (child !== undefined) await ended(child as TaskHandle, signal)
      },
    })
    const node = await cluster.node({ tasks: [parent, held.task], worker: { slots: 2, cancelGraceMs: 1_000 } })
    const { manager } = node
    running.manager = manager
    const told = async (): Promise<readonly string[]> => (await during(cluster, node.manager.doctor())).findings.map(({ reason }) => reason)
    const parents = [await manager.submit(parent), await manager.submit(parent)]
    await cluster.advance(20_000)
    expect(await told()).toEqual(['slotsAwait', 'slotsAwait'])
    await parents[0]?.cancel()
    await cluster.advance(20_000)
    expect(await told()).toEqual([])
  })

  it('says that workers may have released a task whose message seems lost', async () => {
    await using cluster = new VirtualCluster()
    const [known, later] = [cluster.held().task, defineTask({ type: 'later', run: () => {} })]
    const janitor = { intervalMs: 3_600_000 }
    const node = await cluster.node({ tasks: [known, later], worker: false, janitor })
    await cluster.node({ tasks: [known], worker: { unknownTasks: { retryDelayMs: 3_600_000 } }, janitor })
    const unknown = await node.manager.submit(later)
    await cluster.advance(15_000)
    await node.manager.submit(known, null)
    await cluster.advance(6_000)
    const { findings } = await during(cluster, node.manager.doctor())
    expect(findings).toMatchObject([{ taskId: unknown.id, reason: 'messageLost' }])
    expect(findings[0]?.why).toContain('or workers release it, because they cannot decode it')
  })

  it('reports what is unreadable first', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node(front)
    for (let index = 0; index < 10; index++) await node.manager.submit(cluster.held().task, null)
    const unreadable = await node.manager.submit(cluster.held().task, null)
    cluster.memory.faults.injectEvent(unreadable.id, 'nonsense')
    await cluster.advance(15_000)
    const { findings } = await during(cluster, node.manager.doctor())
    expect(findings).toHaveLength(11)
    expect(findings[0]).toMatchObject({ taskId: unreadable.id, kind: 'unreadable' })
  })

  it('reports stuck, orphaned, divergent and unreadable tasks, each with the reason', async () => {
    await using cluster = new VirtualCluster()
    const doomed = await cluster.node({ worker: { slots: 2 } })
    const [orphan] = await cluster.start(doomed)
    const [divergent, body] = await cluster.start(doomed)
    doomed.faults.fail('before', calls('listing.save'))
    body.return()
    await cluster.advance(0)
    await doomed.kill()
    // A janitor that is never due: it would repair what the doctor has to find.
    const node = await cluster.node({ ...front, janitor: { intervalMs: 1_000_000_000 }, lease: { renewMs: 100_000, ttlMs: 300_000 } })
    const lost = await node.manager.submit(cluster.held().task, null)
    await cluster.loseMessages()
    const untaken = await node.manager.submit(cluster.held({ queue: 'nobody' }).task, null)
    const unreadable = await node.manager.submit(cluster.held().task, null)
    cluster.memory.faults.injectEvent(unreadable.id, 'nonsense')
    const missing = await node.manager.submit(cluster.held().task, null)
    await cluster.storage.events.remove(missing.id)
    await cluster.loseMessages()
    await cluster.advance(60_000)
    const { findings, examined, isComplete } = await during(cluster, node.manager.doctor())
    const told = findings.map(({ taskId, kind, reason }) => `${taskId} ${kind} ${reason}`)
    expect(told.sort()).toEqual(
      [
        `${orphan.id} orphaned nodeGone`,
        `${divergent.id} divergent rowBehind`,
        `${lost.id} stuck messageLost`,
        `${untaken.id} stuck nobodyTakes`,
        `${unreadable.id} unreadable historyUnreadable`,
        `${missing.id} unreadable historyMissing`,
      ].sort(),
    )
    expect([examined, isComplete]).toEqual([6, true])
    for (const { why, since, type } of findings) {
      expect(why.length).toBeGreaterThan(10)
      expect([since > 0, type]).toEqual([true, 'held'])
    }
    const two = await during(cluster, node.manager.doctor({ limit: 2 }))
    expect([two.findings.length, two.isComplete]).toEqual([2, false])
    await expect(node.manager.doctor({ limit: 0 })).rejects.toThrow('limit is 0')
  })
})

describe('a rebuilt listing', () => {
  it('says what the histories say, while tasks begin and end', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node({ worker: { slots: 100 } })
    const tasks = await node.manager.submitMany(
      cluster.held().task,
      Array.from({ length: 60 }, (_, index) => index),
    )
    await cluster.advance(0)
    for (const body of cluster.runs.slice(0, 40)) body.return(1)
    await cluster.advance(0)
    const before = new Map(await Promise.all(tasks.map(async (task) => [task.id, await cluster.row(task)] as const)))
    for (const row of before.values()) if (row !== undefined) await cluster.storage.listing.remove(row)
    cluster.memory.faults.injectEvent(tasks[59]?.id as never, 'nonsense')
    const rebuilding = node.manager.rebuildListing()
    for (const body of cluster.runs.slice(40, 50)) body.return(2)
    const late = await node.manager.submit(cluster.held().task, 'late')
    const { saved, unreadable } = await during(cluster, rebuilding)
    expect(unreadable).toBe(1)
    expect(saved).toBeGreaterThanOrEqual(59)
    for (const [index, task] of tasks.entries())
      if (index < 40) expect(await cluster.row(task)).toEqual(before.get(task.id))
      else if (index < 50) expect(await cluster.row(task)).toMatchObject({ status: 'completed', result: 2 })
      else if (index < 59) expect(await cluster.row(task)).toMatchObject({ status: 'inProgress' })
    expect(await cluster.row(late)).toMatchObject({ status: 'inProgress' })
  })

  it('does not bring back tasks that are purged meanwhile', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    const [task, body] = await cluster.start(node)
    body.return()
    await cluster.advance(1_000)
    node.faults.slow(calls('listing.save'), () => cluster.clock.sleep(500))
    const rebuilding = node.manager.rebuildListing()
    await cluster.advance(100)
    expect(await node.manager.purge({ finishedBefore: cluster.clock.now() })).toEqual({ removed: 1, deferred: 0, unreadable: 0 })
    expect(await cluster.row(task)).toBe(undefined)
    await during(cluster, rebuilding)
    expect(await cluster.row(task)).toBe(undefined)
  })

  it('is abandoned if its signal is aborted or its node closes', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node(front)
    await node.manager.submit(cluster.held().task, null)
    await expect(node.manager.rebuildListing({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
    await during(cluster, node.manager.close(), 60_000)
    await expect(node.manager.rebuildListing()).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(node.manager.purge({ finishedBefore: 1 })).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(node.manager.doctor()).rejects.toMatchObject({ code: 'CLOSED' })
  })
})

describe('a purge', () => {
  it('removes all tasks that finished before the time, and nothing else', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node({ worker: { slots: 1_000 } })
    const old = await node.manager.submitMany(
      cluster.held().task,
      Array.from({ length: 450 }, (_, index) => index),
    )
    const [slow] = await cluster.start(node)
    await cluster.advance(0)
    for (const body of cluster.runs.filter(({ taskId }) => taskId !== slow.id)) body.return()
    await cluster.advance(10_000)
    const finishedBefore = cluster.clock.now()
    cluster.run(slow).return()
    const [recent, body] = await cluster.start(node)
    body.return()
    const [running] = await cluster.start(node)
    await cluster.advance(1_000)
    expect(await node.manager.purge({ finishedBefore })).toEqual({ removed: 450, deferred: 0, unreadable: 0 })
    for (const task of old.slice(0, 3)) {
      expect(await cluster.row(task)).toBe(undefined)
      expect(await cluster.eventTypes(task)).toEqual([])
      await expect(task.details()).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' })
    }
    for (const task of [slow, recent, running]) expect(await cluster.eventTypes(task)).not.toEqual([])
    expect(await node.manager.purge({ finishedBefore })).toEqual({ removed: 0, deferred: 0, unreadable: 0 })
    expect(await node.manager.purge({ finishedBefore: new Date(cluster.clock.now() + 1) })).toEqual({
      removed: 2,
      deferred: 0,
      unreadable: 0,
    })
    await expect(node.manager.purge({ finishedBefore: Number.NaN })).rejects.toThrow('finishedBefore is NaN')
  })

  it('that was interrupted between history and row is completed by the next', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node({ commandTimeoutMs: 100 })
    const [task, body] = await cluster.start(node)
    body.return()
    await cluster.advance(1_000)
    node.faults.fail('before', calls('listing.remove'))
    const failed = await during(
      cluster,
      node.manager.purge({ finishedBefore: cluster.clock.now() }).catch((error: unknown) => error),
    )
    expect(codeOf(failed)).toBe('UNAVAILABLE')
    expect([await cluster.eventTypes(task), (await cluster.row(task))?.status]).toEqual([[], 'completed'])
    node.faults.heal()
    expect(await node.manager.purge({ finishedBefore: cluster.clock.now() })).toEqual({ removed: 1, deferred: 0, unreadable: 0 })
    expect(await cluster.row(task)).toBe(undefined)
  })

  it('is made by one of the janitors if there is a retention', async () => {
    await using cluster = new VirtualCluster()
    const options = { retention: { finishedMs: 3_600_000 } }
    const nodes = [await cluster.node(options), await cluster.node(options)]
    const [task, body] = await cluster.start(nodes[0] as never)
    body.return()
    // New nodes: each may be the first to have lived for a lease.
    await cluster.advance(60_000)
    const callsBefore = nodes.map(({ calls }) => calls.length)
    await cluster.advance(3_440_000)
    expect(await cluster.row(task)).toMatchObject({ status: 'completed' })
    await cluster.advance(1_000_000)
    expect(await cluster.row(task)).toBe(undefined)
    expect(await cluster.eventTypes(task)).toEqual([])
    const purging = nodes.filter(({ calls }, index) => calls.slice(callsBefore[index]).some(({ name }) => name === 'listing.list'))
    expect(purging).toHaveLength(1)
  })

  it('is not made without a retention', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    const [task, body] = await cluster.start(node)
    body.return()
    await cluster.advance(7_200_000)
    expect(await cluster.row(task)).toMatchObject({ status: 'completed' })
  })
})
