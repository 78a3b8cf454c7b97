import { describe, expect, it } from 'vitest'
import { Stage } from '../stage.ts'

describe('a node that shuts down under load', () => {
  it('takes nothing more, waits for what runs, hands back the rest, and what it did not run others do: all of it, once', async () => {
    await using stage = new Stage()
    const leaving = await stage.node({ worker: { slots: 10, drainMs: 5_000, cancelGraceMs: 1_000 } })
    const tasks = await leaving.manager.submitMany(
      stage.held(''),
      Array.from({ length: 40 }, (_, index) => index),
    )
    await stage.advance(0)
    expect(stage.bodies).toHaveLength(10)
    const other = await stage.node({ worker: { slots: 100 } })
    await stage.advance(0)
    expect(stage.bodies).toHaveLength(40)
    const closed = leaving.manager.close({ drainMs: 5_000 })
    const own = stage.bodies.filter(({ node }) => node === 'a')
    for (const body of own.slice(0, 5)) body.return('in time')
    await stage.advance(4_900)
    // It is live while it drains, and holds its lease.
    expect((await stage.storage.nodes.live()).map(({ nodeId }) => nodeId).sort()).toEqual([leaving.id, other.id].sort())
    const late = await other.manager.submit(stage.held(''), 'late')
    await stage.advance(1_000)
    await closed
    expect(await stage.storage.nodes.live()).toMatchObject([{ nodeId: other.id }])
    for (const body of stage.bodies.filter(({ node }) => node === 'b')) body.return('elsewhere')
    await stage.advance(1_000)
    for (const task of [...tasks, late]) expect(await stage.row(task)).toMatchObject({ status: 'completed' })
    const released = (await Promise.all(tasks.map((task) => stage.told(task)))).filter((told) => told.includes('Released'))
    expect(released).toHaveLength(5)
    expect(stage.bodies).toHaveLength(46)
    expect(stage.depth()).toBe(0)
  })

  it('and is killed in the middle of it leaves what others recover', async () => {
    await using stage = new Stage()
    const leaving = await stage.node({ worker: { slots: 10, drainMs: 60_000 } })
    const tasks = await leaving.manager.submitMany(stage.held(''), [1, 2, 3, 4])
    const later = await leaving.manager.submit(stage.held(''), null, { notBefore: stage.clock.now() + 1_000 })
    await stage.advance(0)
    await stage.node({ worker: { slots: 10 } })
    void leaving.manager.close({ drainMs: 60_000 })
    await stage.advance(500)
    leaving.kill()
    await stage.until(
      'not all of it runs again',
      () => tasks.every((task) => stage.find(task, 2) !== undefined) && stage.find(later) !== undefined,
      45_000,
    )
    for (const task of tasks) expect(await stage.told(task)).toEqual(['Created', 'Started', 'Died', 'Started'])
  })

  it('with the store down leaves what others recover, too', async () => {
    await using stage = new Stage()
    const leaving = await stage.node()
    const [task] = await stage.start(leaving)
    await stage.node()
    leaving.fails = (call) => call.startsWith('storage.')
    const closed = leaving.manager.close({ drainMs: 0 })
    await stage.advance(30_000)
    await closed
    expect(await stage.runs(task, 2, 30_000)).toBeLessThan(20_000)
  })
})
