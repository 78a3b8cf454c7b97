import { unavailable } from '@taskledger/core/ports'
import { CallFaults, calls, onCalls, storageCalls } from '@taskledger/test-kit/faults'
import { describe, expect, it } from 'vitest'
import { VirtualCluster } from '../virtual-cluster.ts'

describe('the health of a node', () => {
  it('is good once everything was seen to work, and says since when', async () => {
    await using cluster = new VirtualCluster()
    const front = await cluster.node({ worker: false })
    const node = await cluster.node()
    const since = cluster.clock.now()
    await cluster.advance(60_000)
    const check = { ok: true, since, checkedAt: expect.any(Number) as number }
    const { checkedAt } = node.manager.health().store
    expect(cluster.clock.now() - checkedAt).toBeLessThanOrEqual(5_000)
    const checks = { open: check, lease: check, store: check, bus: check, peers: check, consuming: check }
    expect(node.manager.health()).toEqual({ ok: true, ...checks, apart: [], unreadable: 0, clockOffsetMs: 0 })
    expect(front.manager.health()).not.toHaveProperty('consuming')
    expect(front.manager.health()).not.toHaveProperty('sending')
    expect(front.manager.health().ok).toBe(true)
  })

  it('is not good before anything was seen to work', async () => {
    await using cluster = new VirtualCluster()
    const faults = new CallFaults()
    faults.fail('before', (call) => storageCalls(call) || call.name === 'bus.publish')
    const node = await cluster.node({ faults })
    await cluster.advance(1_000)
    const { lease, store, bus, ok } = node.manager.health()
    expect([ok, lease.ok, store.ok, bus.ok]).toEqual([false, false, false, false])
    expect(store.lastError).toMatchObject({ code: 'UNAVAILABLE', message: 'events.read is made to fail' })
  })

  it('reports a bus that it no longer receives from, although it can publish', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node({ worker: false })
    await cluster.advance(10_000)
    node.faults.dropsNotice = () => true
    await cluster.advance(10_100)
    const { bus, ok, store } = node.manager.health()
    expect([ok, bus.ok, store.ok, bus.why]).toEqual([false, false, true, 'this node did not receive its own latest probe'])
    node.faults.dropsNotice = () => false
    await cluster.advance(5_000)
    expect(node.manager.health()).toMatchObject({ ok: true, bus: { ok: true } })
  })

  it('reports a store that it cannot reach, and keeps the last error after it can again', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node({ worker: false })
    node.faults.fail('before', calls('events.read'))
    await cluster.advance(5_000)
    expect(node.manager.health()).toMatchObject({ ok: false, store: { ok: false, why: 'the event store did not answer' } })
    const { since } = node.manager.health().store
    await cluster.advance(20_000)
    expect(node.manager.health().store).toMatchObject({ since, lastError: { code: 'UNAVAILABLE' } })
    node.faults.heal()
    await cluster.advance(5_000)
    expect(node.manager.health().store).toMatchObject({ ok: true, lastError: { code: 'UNAVAILABLE' } })
  })

  it('reports waiting messages that are not delivered, and a queue that does not answer', async () => {
    await using cluster = new VirtualCluster()
    let depth: number | undefined
    const intercept = onCalls({ 'queue.depth': async (next, queue) => depth ?? next(queue) })
    const node = await cluster.node({ worker: { slots: 2 }, intercept })
    await cluster.advance(10_000)
    expect(node.manager.health().consuming?.ok).toBe(true)
    // The engine has forgotten the consumer, and the client does not know.
    cluster.memory.faults.kill(node.client.messaging)
    const front = await cluster.node({ worker: false })
    await front.manager.submit(cluster.held().task, null)
    depth = 1
    await cluster.advance(10_100)
    const { consuming, ok } = node.manager.health()
    expect([ok, consuming?.ok]).toEqual([false, false])
    expect(consuming?.why).toBe('queue default has 1 waiting messages and delivers none to this node, which has a free slot')
    depth = undefined
    await cluster.advance(10_000)
    expect(node.manager.health().consuming).toMatchObject({ ok: false, why: 'the work queue did not answer' })
  })

  it('is not bad because all slots are taken and the worker is busy', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node({ worker: { slots: 1 } })
    await cluster.start(node)
    for (let index = 0; index < 10; index++) await node.manager.submit(cluster.held().task, index)
    await cluster.advance(60_000)
    expect(node.manager.health().ok).toBe(true)
  })

  it('is not good from the moment when the node closes', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node({ worker: { drainMs: 3_000, cancelGraceMs: 1_000 } })
    await cluster.start(node)
    await cluster.advance(10_000)
    expect(node.manager.health().ok).toBe(true)
    const closing = node.manager.close()
    const { ok, open, lease, consuming } = node.manager.health()
    expect([ok, open.why, lease.ok, consuming?.why]).toEqual([false, 'this node is closing', true, 'the worker is draining'])
    const { since } = open
    await Promise.all([closing, cluster.advance(60_000)])
    expect(node.manager.health()).toMatchObject({
      ok: false,
      open: { ok: false, since, why: 'this node is closed' },
      lease: { ok: false, why: 'this node is closed' },
      consuming: { ok: false, why: 'the worker is closed' },
    })
  })

  it('is not good without the worker that it had, and good with the next one', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    await cluster.advance(10_000)
    const draining = node.manager.worker?.drain()
    expect(node.manager.health().consuming).toMatchObject({ ok: false, why: 'the worker is draining' })
    await draining
    await node.manager.worker?.close()
    expect(node.manager.health()).toMatchObject({ ok: false, consuming: { ok: false, why: 'the worker is closed' } })
    await node.manager.attachWorker()
    expect(node.manager.health().consuming?.why ?? '').not.toContain('closed')
    await cluster.advance(5_000)
    expect(node.manager.health()).toMatchObject({ ok: true, consuming: { ok: true } })
  })

  it('reports at once that a queue does not accept messages, with the error, until it accepts them', async () => {
    await using cluster = new VirtualCluster()
    const front = await cluster.node({ worker: false })
    await cluster.advance(10_000)
    const refusal = (): Error => unavailable('queue default exists with other arguments')
    const heal = front.faults.fail('before', (call) => call.name === 'queue.send' && call.queue === 'default', refusal)
    await front.manager.submit(cluster.held().task, null)
    await front.manager.submit(cluster.held({ queue: 'other' }).task, null)
    const { ok, sending } = front.manager.health()
    expect([ok, sending?.ok, sending?.why]).toEqual([false, false, 'queue default did not accept a message: the node sends it again'])
    expect(sending?.lastError).toMatchObject({ code: 'UNAVAILABLE', message: 'queue default exists with other arguments' })
    heal()
    await cluster.advance(60_000)
    expect(front.manager.health()).toMatchObject({ ok: true, sending: { ok: true, lastError: { code: 'UNAVAILABLE' } } })
  })

  it('reports a paused worker', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    node.manager.worker?.pause()
    expect(node.manager.health().consuming).toMatchObject({ ok: false, why: 'the worker is paused' })
    await cluster.advance(5_000)
    expect(node.manager.health().consuming).toMatchObject({ ok: false, why: 'the worker is paused' })
    node.manager.worker?.resume()
    expect(node.manager.health().consuming).toMatchObject({ ok: false, why: 'not probed yet' })
    await cluster.advance(5_000)
    expect(node.manager.health().consuming).toMatchObject({ ok: true })
  })

  it('hides its probes from subscribers', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node({ worker: false })
    const heard: string[] = []
    node.manager.subscribe(({ type }) => heard.push(type))
    await cluster.advance(60_000)
    expect(heard).toEqual([])
  })
})
