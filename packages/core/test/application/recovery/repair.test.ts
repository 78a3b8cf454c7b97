import { codeOf } from '@taskledger/core'
import { describe, expect, it } from 'vitest'
import { Stage } from '../stage.ts'

const front = { worker: false } as const

/** Resolves with what the promise does, while time passes. */
const during = async <T>(stage: Stage, promise: Promise<T>, ms = 1_000): Promise<T> => {
  const [value] = await Promise.all([promise, stage.advance(ms)])
  return value
}

describe('the doctor', () => {
  it('finds nothing where all is well', async () => {
    await using stage = new Stage()
    const node = await stage.node()
    await stage.start(node)
    await node.manager.submit(stage.held(''), null, { notBefore: stage.clock.now() + 3_600_000 })
    await stage.advance(60_000)
    expect(await during(stage, node.manager.doctor())).toEqual({ findings: [], examined: 2, isComplete: true })
  })

  it('reports stuck, orphaned, divergent and unreadable tasks, each with the reason', async () => {
    await using stage = new Stage()
    const doomed = await stage.node({ worker: { slots: 2 } })
    const [orphan] = await stage.start(doomed)
    const [divergent, body] = await stage.start(doomed)
    doomed.fails = (call) => call === 'storage.listing.save'
    body.return()
    await stage.advance(0)
    doomed.kill()
    // A janitor that is never due: what it would mend is to be seen.
    const node = await stage.node({ ...front, janitor: { intervalMs: 1_000_000_000 }, lease: { renewMs: 100_000, ttlMs: 300_000 } })
    const lost = await node.manager.submit(stage.held(''), null)
    await stage.loseMessages()
    const untaken = await node.manager.submit(stage.held('', { queue: 'nobody' }), null)
    const unreadable = await node.manager.submit(stage.held(''), null)
    stage.memory.faults.injectEvent(unreadable.id, 'nonsense')
    const missing = await node.manager.submit(stage.held(''), null)
    await stage.storage.events.remove(missing.id)
    await stage.loseMessages()
    await stage.advance(60_000)
    const { findings, examined, isComplete } = await during(stage, node.manager.doctor())
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
    const two = await during(stage, node.manager.doctor({ limit: 2 }))
    expect([two.findings.length, two.isComplete]).toEqual([2, false])
    await expect(node.manager.doctor({ limit: 0 })).rejects.toThrow('limit is 0')
  })
})

describe('a listing that is made anew', () => {
  it('says what the histories say, while tasks begin and end', async () => {
    await using stage = new Stage()
    const node = await stage.node({ worker: { slots: 100 } })
    const tasks = await node.manager.submitMany(
      stage.held(''),
      Array.from({ length: 60 }, (_, index) => index),
    )
    await stage.advance(0)
    for (const body of stage.bodies.slice(0, 40)) body.return(1)
    await stage.advance(0)
    const before = new Map(await Promise.all(tasks.map(async (task) => [task.id, await stage.row(task)] as const)))
    for (const row of before.values()) if (row !== undefined) await stage.storage.listing.remove(row)
    stage.memory.faults.injectEvent(tasks[59]?.id as never, 'nonsense')
    const rebuilding = node.manager.rebuildListing()
    for (const body of stage.bodies.slice(40, 50)) body.return(2)
    const late = await node.manager.submit(stage.held(''), 'late')
    const { saved, unreadable } = await during(stage, rebuilding)
    expect(unreadable).toBe(1)
    expect(saved).toBeGreaterThanOrEqual(59)
    for (const [index, task] of tasks.entries())
      if (index < 40) expect(await stage.row(task)).toEqual(before.get(task.id))
      else if (index < 50) expect(await stage.row(task)).toMatchObject({ status: 'completed', result: 2 })
      else if (index < 59) expect(await stage.row(task)).toMatchObject({ status: 'inProgress' })
    expect(await stage.row(late)).toMatchObject({ status: 'inProgress' })
  })

  it('does not bring back what is purged meanwhile', async () => {
    await using stage = new Stage()
    const node = await stage.node()
    const [task, body] = await stage.start(node)
    body.return()
    await stage.advance(1_000)
    node.delays = (call) => (call === 'storage.listing.save' ? 500 : 0)
    const rebuilding = node.manager.rebuildListing()
    await stage.advance(100)
    expect(await node.manager.purge({ finishedBefore: stage.clock.now() })).toEqual({ removed: 1 })
    expect(await stage.row(task)).toBe(undefined)
    await during(stage, rebuilding)
    expect(await stage.row(task)).toBe(undefined)
  })

  it('is left where the signal says so, or the node closes', async () => {
    await using stage = new Stage()
    const node = await stage.node(front)
    await node.manager.submit(stage.held(''), null)
    await expect(node.manager.rebuildListing({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
    await during(stage, node.manager.close(), 60_000)
    await expect(node.manager.rebuildListing()).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(node.manager.purge({ finishedBefore: 1 })).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(node.manager.doctor()).rejects.toMatchObject({ code: 'CLOSED' })
  })
})

describe('a purge', () => {
  it('removes what finished before the time, all of it, and nothing else', async () => {
    await using stage = new Stage()
    const node = await stage.node({ worker: { slots: 1_000 } })
    const old = await node.manager.submitMany(
      stage.held(''),
      Array.from({ length: 450 }, (_, index) => index),
    )
    const [slow] = await stage.start(node)
    await stage.advance(0)
    for (const body of stage.bodies.filter(({ taskId }) => taskId !== slow.id)) body.return()
    await stage.advance(10_000)
    const finishedBefore = stage.clock.now()
    stage.body(slow).return()
    const [recent, body] = await stage.start(node)
    body.return()
    const [running] = await stage.start(node)
    await stage.advance(1_000)
    expect(await node.manager.purge({ finishedBefore })).toEqual({ removed: 450 })
    for (const task of old.slice(0, 3)) {
      expect(await stage.row(task)).toBe(undefined)
      expect(await stage.told(task)).toEqual([])
      await expect(task.details()).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' })
    }
    for (const task of [slow, recent, running]) expect(await stage.told(task)).not.toEqual([])
    expect(await node.manager.purge({ finishedBefore })).toEqual({ removed: 0 })
    expect(await node.manager.purge({ finishedBefore: new Date(stage.clock.now() + 1) })).toEqual({ removed: 2 })
    await expect(node.manager.purge({ finishedBefore: Number.NaN })).rejects.toThrow('finishedBefore is NaN')
  })

  it('that was interrupted between history and row is completed by the next', async () => {
    await using stage = new Stage()
    const node = await stage.node({ commandTimeoutMs: 100 })
    const [task, body] = await stage.start(node)
    body.return()
    await stage.advance(1_000)
    node.fails = (call) => call === 'storage.listing.remove'
    const failed = await during(
      stage,
      node.manager.purge({ finishedBefore: stage.clock.now() }).catch((error: unknown) => error),
    )
    expect(codeOf(failed)).toBe('UNAVAILABLE')
    expect([await stage.told(task), (await stage.row(task))?.status]).toEqual([[], 'completed'])
    node.fails = () => false
    expect(await node.manager.purge({ finishedBefore: stage.clock.now() })).toEqual({ removed: 1 })
    expect(await stage.row(task)).toBe(undefined)
  })

  it('is made by a janitor where there is a retention, by one of them', async () => {
    await using stage = new Stage()
    const options = { retention: { finishedMs: 3_600_000 } }
    const nodes = [await stage.node(options), await stage.node(options)]
    const [task, body] = await stage.start(nodes[0] as never)
    body.return()
    // While they are new, each may be the first to have lived for a lease.
    await stage.advance(60_000)
    const callsBefore = nodes.map(({ calls }) => calls.length)
    await stage.advance(3_440_000)
    expect(await stage.row(task)).toMatchObject({ status: 'completed' })
    await stage.advance(1_000_000)
    expect(await stage.row(task)).toBe(undefined)
    expect(await stage.told(task)).toEqual([])
    const purging = nodes.filter(({ calls }, index) => calls.slice(callsBefore[index]).includes('storage.listing.list'))
    expect(purging).toHaveLength(1)
  })

  it('is not made where there is none', async () => {
    await using stage = new Stage()
    const node = await stage.node()
    const [task, body] = await stage.start(node)
    body.return()
    await stage.advance(7_200_000)
    expect(await stage.row(task)).toMatchObject({ status: 'completed' })
  })
})
