import { describe, expect, it } from 'vitest'
import { Stage } from '../stage.ts'

describe('the health of a node', () => {
  it('is good where everything was seen to work, with since when', async () => {
    await using stage = new Stage()
    const front = await stage.node({ worker: false })
    const node = await stage.node()
    const since = stage.clock.now()
    await stage.advance(60_000)
    const check = { ok: true, since, checkedAt: expect.any(Number) as number }
    const { checkedAt } = node.manager.health().store
    expect(stage.clock.now() - checkedAt).toBeLessThanOrEqual(5_000)
    expect(node.manager.health()).toEqual({ ok: true, lease: check, store: check, bus: check, consuming: check, unreadable: 0 })
    expect(front.manager.health()).not.toHaveProperty('consuming')
    expect(front.manager.health().ok).toBe(true)
  })

  it('is not good before anything was seen to work', async () => {
    await using stage = new Stage()
    const node = await stage.node({}, (call) => call.startsWith('storage.') || call === 'messaging.bus.publish')
    await stage.advance(1_000)
    const { lease, store, bus, ok } = node.manager.health()
    expect([ok, lease.ok, store.ok, bus.ok]).toEqual([false, false, false, false])
    expect(store.lastError).toMatchObject({ code: 'UNAVAILABLE', message: 'storage.events.read is made to fail' })
  })

  it('tells when it hears the bus no more, though it can publish', async () => {
    await using stage = new Stage()
    const node = await stage.node({ worker: false })
    await stage.advance(10_000)
    node.isDeafTo = () => true
    await stage.advance(10_100)
    const { bus, ok, store } = node.manager.health()
    expect([ok, bus.ok, store.ok, bus.why]).toEqual([false, false, true, 'this node did not receive its own latest probe'])
    node.isDeafTo = () => false
    await stage.advance(5_000)
    expect(node.manager.health()).toMatchObject({ ok: true, bus: { ok: true } })
  })

  it('tells when it cannot reach the store, and keeps the last error after it can again', async () => {
    await using stage = new Stage()
    const node = await stage.node({ worker: false })
    node.fails = (call) => call === 'storage.events.read'
    await stage.advance(5_000)
    expect(node.manager.health()).toMatchObject({ ok: false, store: { ok: false, why: 'the event store did not answer' } })
    const { since } = node.manager.health().store
    await stage.advance(20_000)
    expect(node.manager.health().store).toMatchObject({ since, lastError: { code: 'UNAVAILABLE' } })
    node.fails = () => false
    await stage.advance(5_000)
    expect(node.manager.health().store).toMatchObject({ ok: true, lastError: { code: 'UNAVAILABLE' } })
  })

  it('tells when messages wait and it is handed none, and when the queue does not answer', async () => {
    await using stage = new Stage()
    const node = await stage.node({ worker: { slots: 2 } })
    await stage.advance(10_000)
    expect(node.manager.health().consuming?.ok).toBe(true)
    // A consumer that the engine has forgotten, as the broker's client may not know.
    stage.memory.faults.kill(node.messaging)
    const front = await stage.node({ worker: false })
    await front.manager.submit(stage.held(''), null)
    node.depth = 1
    await stage.advance(10_100)
    const { consuming, ok } = node.manager.health()
    expect([ok, consuming?.ok]).toEqual([false, false])
    expect(consuming?.why).toBe('queue default has 1 waiting messages and delivers none to this node, which has a free slot')
    node.depth = undefined
    await stage.advance(10_000)
    expect(node.manager.health().consuming).toMatchObject({ ok: false, why: 'the work queue did not answer' })
  })

  it('is not bad where all slots are taken, or where the worker is merely busy', async () => {
    await using stage = new Stage()
    const node = await stage.node({ worker: { slots: 1 } })
    await stage.start(node)
    for (let index = 0; index < 10; index++) await node.manager.submit(stage.held(''), index)
    await stage.advance(60_000)
    expect(node.manager.health().ok).toBe(true)
  })

  it('tells when the worker is paused', async () => {
    await using stage = new Stage()
    const node = await stage.node()
    node.manager.worker?.pause()
    await stage.advance(5_000)
    expect(node.manager.health().consuming).toMatchObject({ ok: false, why: 'the worker is paused' })
    node.manager.worker?.resume()
    await stage.advance(5_000)
    expect(node.manager.health().consuming).toMatchObject({ ok: true })
  })

  it('hides its beats from whoever subscribes', async () => {
    await using stage = new Stage()
    const node = await stage.node({ worker: false })
    const heard: string[] = []
    node.manager.subscribe(({ type }) => heard.push(type))
    await stage.advance(60_000)
    expect(heard).toEqual([])
  })
})
