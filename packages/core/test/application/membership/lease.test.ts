import { codeOf } from '@taskledger/core'
import { CallFaults, calls, storageCalls } from '@taskledger/test-kit/faults'
import { describe, expect, it } from 'vitest'
import { VirtualCluster } from '../virtual-cluster.ts'

const warnings = (node: { readonly logged: readonly { readonly level: string; readonly message: string }[] }, part: string): number =>
  node.logged.filter(({ message, level }) => level !== 'debug' && message.includes(part)).length

describe('the lease of a node', () => {
  it('is renewed every five seconds', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node({ worker: false })
    await cluster.advance(60_000)
    expect(node.calls.filter(({ name }) => name === 'nodes.renew')).toHaveLength(13)
    expect(await cluster.storage.nodes.live()).toMatchObject([{ nodeId: node.id, renewedAt: cluster.clock.now() }])
  })

  it('is in doubt after 60 percent of its time: the node takes no more tasks until it is renewed', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node({ worker: { slots: 5 } })
    node.faults.fail('before', calls('nodes.renew'))
    await cluster.advance(8_900)
    const [early] = await cluster.start(node)
    expect(cluster.find(early)).toBeDefined()
    await cluster.advance(200)
    const late = await node.manager.submit(cluster.held().task, null)
    await cluster.advance(4_000)
    expect(cluster.find(late)).toBe(undefined)
    expect(node.manager.health()).toMatchObject({ ok: false, lease: { ok: false }, consuming: { ok: false } })
    expect(cluster.run(early).signal.aborted).toBe(false)
    node.faults.heal()
    await cluster.advance(1_500)
    expect(cluster.find(late)).toBeDefined()
    expect(cluster.run(early).signal.aborted).toBe(false)
  })

  it('that becomes doubtful between a delivery and its claim prevents the claim', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    node.faults.fail('before', calls('nodes.renew'))
    await cluster.advance(8_900)
    node.faults.slow(calls('events.read'), () => cluster.clock.sleep(200))
    // The history of a task with a key is read before its claim.
    const task = await node.manager.submit(cluster.held().task, null, { idempotencyKey: 'one' })
    await cluster.advance(3_000)
    expect(await cluster.eventTypes(task)).toEqual(['Created'])
    node.faults.heal()
    await cluster.untilRunning(task, 1)
    cluster.run(task).return()
  })

  it('is lost at the end of its time: bodies are told, and their tasks are handed back without counting once the store answers', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    const [task, body] = await cluster.start(node)
    node.faults.fail('before', storageCalls)
    await cluster.advance(14_900)
    expect(body.signal.aborted).toBe(false)
    await cluster.advance(200)
    expect(body.signal.reason).toMatchObject({ name: 'TaskAborted', code: 'LEASE_LOST' })
    await cluster.advance(60_000)
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started'])
    node.faults.heal()
    expect(await cluster.untilRunning(task, 2, 15_000)).toBeLessThan(10_000)
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Released', 'Started'])
    // The same node runs it again.
    expect((await cluster.row(task))?.node).toBe(node.id)
    cluster.run(task).return()
  })

  it('counts from when a renewal was sent, not from when it was answered', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    const [, body] = await cluster.start(node)
    await cluster.advance(4_900)
    // The renewal sent at 5,000 is answered at 9,000; every later renewal fails.
    const { nodes } = cluster.storage
    expect(await nodes.live()).toHaveLength(1)
    let sent = 0
    node.faults.slow(
      ({ name }) => name === 'nodes.renew' && ++sent === 1,
      () => cluster.clock.sleep(4_000),
    )
    node.faults.fail('before', ({ name }) => name === 'nodes.renew' && sent > 1)
    await cluster.advance(5_000)
    expect(sent).toBe(1)
    await cluster.advance(5_000 + 4_000)
    // The time is 18,900: 13,900 after the renewal was sent.
    expect(body.signal.aborted).toBe(false)
    await cluster.advance(1_200)
    expect(codeOf(body.signal.reason)).toBe('LEASE_LOST')
  })

  it('lets a task with onLeaseLost finish end, and its end counts', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node({ held: { onLeaseLost: 'finish' } })
    const [task, body] = await cluster.start(node)
    node.faults.fail('before', storageCalls)
    await cluster.advance(30_000)
    expect(body.signal.aborted).toBe(false)
    body.return('all the same')
    await cluster.advance(10_000)
    node.faults.heal()
    await cluster.advance(10_000)
    expect(await cluster.row(task)).toMatchObject({ status: 'completed', result: 'all the same', attempt: 1 })
  })

  it('leaves a body that ignores its signal to its end, which counts if no other node ran the task meanwhile', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node({ held: { heeds: false } })
    const [task, body] = await cluster.start(node)
    node.faults.fail('before', storageCalls)
    await cluster.advance(30_000)
    expect(codeOf(body.signal.reason)).toBe('LEASE_LOST')
    node.faults.heal()
    await cluster.advance(60_000)
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started'])
    body.return('done')
    await cluster.advance(0)
    expect(await cluster.row(task)).toMatchObject({ status: 'completed', attempt: 1 })
  })

  it('is checked after a thaw: a frozen node is told, stops its runs, and settles nothing that runs elsewhere', async () => {
    await using cluster = new VirtualCluster()
    const frozen = await cluster.node({ held: { heeds: false }, worker: { cancelGraceMs: 1_000, drainMs: 0 } })
    const [task, body] = await cluster.start(frozen)
    await cluster.node()
    // The node learns of the other one at its next renewal.
    await cluster.advance(6_000)
    frozen.faults.dropsNotice = () => true
    frozen.process.freeze()
    expect(await cluster.untilRunning(task, 2)).toBeLessThan(40_000)
    expect(cluster.run(task, 2).node).toBe('b')
    expect(body.signal.aborted).toBe(false)
    frozen.process.thaw()
    // Before any time passes.
    await cluster.advance(0)
    expect(codeOf(body.signal.reason)).toBe('LEASE_LOST')
    expect(warnings(frozen, 'stood still')).toBe(1)
    body.return('too late')
    await cluster.advance(10_000)
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Died', 'Started'])
    expect(warnings(frozen, 'ended elsewhere')).toBe(1)
    cluster.run(task, 2).return('in time')
    await cluster.advance(0)
    expect(await cluster.row(task)).toMatchObject({ status: 'completed', result: 'in time', attempt: 2 })
    // The node takes part again.
    expect(frozen.manager.health().lease.ok).toBe(true)
    expect((await frozen.manager.nodes()).map(({ name }) => name).sort()).toEqual(['a', 'b'])
  })

  it.each([{}, { onLeaseLost: 'finish' } as const])(
    'that was lost between a claim and its answer lets no body begin, although it is held again (%o)',
    async (held) => {
      await using cluster = new VirtualCluster()
      const cutOff = await cluster.node({ held })
      const heir = await cluster.node({ held })
      heir.manager.worker?.pause()
      await cluster.advance(20_000)
      let isCutOff = false
      cutOff.faults.fail('after', ({ name }) => name === 'events.append' && !isCutOff && (isCutOff = true))
      const reconnect = cutOff.faults.fail('before', (call) => isCutOff && storageCalls(call))
      const task = await heir.manager.submit(cluster.held().task, null)
      await cluster.until('the task is claimed', () => isCutOff)
      heir.manager.worker?.resume()
      await cluster.untilRunning(task, 2)
      // The node holds its lease again before it can learn of its claim.
      reconnect()
      cutOff.faults.fail('before', calls('events.append'))
      await cluster.until('the lease is held again', () => cutOff.manager.health().lease.ok)
      cutOff.faults.heal()
      await cluster.advance(10_000)
      expect(cluster.runs.map(({ node, attempt }) => [node, attempt])).toEqual([['b', 2]])
      expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Died', 'Started'])
      cluster.run(task).return()
    },
  )

  it('is checked when a body reports progress, even before a timer does', async () => {
    await using cluster = new VirtualCluster()
    const frozen = await cluster.node()
    await cluster.node({ worker: false })
    await cluster.advance(6_000)
    const [, body] = await cluster.start(frozen)
    frozen.faults.dropsNotice = () => true
    frozen.process.freeze()
    await cluster.advance(20_000)
    body.progress('still here')
    expect(codeOf(body.signal.reason)).toBe('LEASE_LOST')
  })

  it('that is lost before a claim is appended keeps its body from beginning', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    node.faults.fail('before', calls('nodes.renew'))
    const healAppends = node.faults.fail('before', calls('events.append'))
    const other = await cluster.node({ worker: false })
    const task = await other.manager.submit(cluster.held().task, null)
    await cluster.advance(16_000)
    healAppends()
    await cluster.advance(5_000)
    expect(cluster.runs).toHaveLength(0)
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Released'])
    node.faults.heal()
    await cluster.advance(5_000)
    expect(cluster.runs).toHaveLength(1)
  })

  it('that cannot be acquired at the start keeps the node from claiming until it can', async () => {
    await using cluster = new VirtualCluster()
    const broken = await cluster.node({ worker: false })
    const faults = new CallFaults()
    faults.fail('before', calls('nodes.renew'))
    const node = cluster.node({ faults })
    const task = await broken.manager.submit(cluster.held().task, null)
    await cluster.advance(20_000)
    const { manager } = await node
    expect(cluster.find(task)).toBe(undefined)
    expect(manager.worker?.status).toBe('running')
    faults.heal()
    await cluster.advance(1_100)
    expect(cluster.find(task)).toBeDefined()
  })
})

describe('a zombie', () => {
  it('is told by the notice of its death at once', async () => {
    await using cluster = new VirtualCluster()
    const zombie = await cluster.node()
    await cluster.node()
    const [task, body] = await cluster.start(zombie)
    // Its timers stand still, and it still receives notices.
    zombie.process.freeze()
    await cluster.untilRunning(task, 2)
    await cluster.advance(0)
    expect(codeOf(body.signal.reason)).toBe('ATTEMPT_LOST')
    cluster.run(task, 2).return()
  })
})

describe('an outage of the store', () => {
  it.each([20_000, 60_000, 300_000])('of %i ms declares no node dead, and everything continues after it', async (outageMs) => {
    await using cluster = new VirtualCluster()
    const nodes = [await cluster.node({ held: { onLeaseLost: 'finish' } }), await cluster.node(), await cluster.node({ worker: false })]
    await cluster.advance(60_000)
    const [finishing] = await cluster.start(nodes[0] as never)
    const tasks = [finishing]
    for (let index = 0; index < 4; index++) tasks.push((await cluster.start(nodes[0] as never))[0])
    for (const node of nodes) node.faults.fail('before', storageCalls)
    await cluster.advance(outageMs)
    for (const node of nodes) node.faults.heal()
    await cluster.advance(30_000)
    for (const task of tasks) expect(await cluster.eventTypes(task)).not.toContain('Died')
    for (const body of cluster.runs) body.return()
    await cluster.advance(1_000)
    for (const task of tasks) expect(await cluster.row(task)).toMatchObject({ status: 'completed' })
    expect(await cluster.eventTypes(finishing)).toEqual(['Created', 'Started', 'Completed'])
  })

  it('that ends later for one node than for the others does not cost that node the tasks that it may finish', async () => {
    await using cluster = new VirtualCluster()
    const late = await cluster.node({ held: { onLeaseLost: 'finish' } })
    const others = [await cluster.node(), await cluster.node({ worker: false })]
    await cluster.advance(60_000)
    others[0]?.manager.worker?.pause()
    const [task, body] = await cluster.start(late)
    for (const node of [late, ...others]) node.faults.fail('before', storageCalls)
    await cluster.advance(60_000)
    for (const node of others) node.faults.heal()
    await cluster.advance(12_000)
    late.faults.heal()
    await cluster.advance(30_000)
    body.return('done')
    await cluster.advance(0)
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Completed'])
  })

  it('that only one node has costs that node its tasks, and no other node', async () => {
    await using cluster = new VirtualCluster()
    const cutOff = await cluster.node()
    const other = await cluster.node()
    await cluster.advance(60_000)
    other.manager.worker?.pause()
    const [task, body] = await cluster.start(cutOff)
    other.manager.worker?.resume()
    cutOff.faults.fail('before', storageCalls)
    await cluster.untilRunning(task, 2, 30_000)
    // The node had stopped the body before.
    expect(codeOf(body.signal.reason)).toBe('LEASE_LOST')
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Died', 'Started'])
  })

  it('after which the registry has forgotten all nodes declares no node dead', async () => {
    await using cluster = new VirtualCluster()
    const nodes = [await cluster.node(), await cluster.node(), await cluster.node({ worker: false })]
    await cluster.advance(60_000)
    const [task] = await cluster.start(nodes[0] as never)
    for (const { id } of nodes) await cluster.storage.nodes.leave(id)
    await cluster.advance(60_000)
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started'])
  })
})
