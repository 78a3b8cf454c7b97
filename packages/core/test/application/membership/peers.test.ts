import type { TaskHandle } from '@taskledger/core'
import type { ClusterNode, Interceptor } from '@taskledger/test-kit/faults'
import { calls, onCalls, storageCalls } from '@taskledger/test-kit/faults'
import { describe, expect, it } from 'vitest'
import { isBeat, noticeOf } from '../../../src/application/membership/beat.ts'
import { VirtualCluster } from '../virtual-cluster.ts'

const front = { worker: false } as const

const unheard = 'received no notices of live nodes: they use another broker, virtual host or prefix than this node'
const unlisted =
  'received notices of nodes that the node registry does not have: they use another database, keyspace or prefix than this node'

/** What a node tells of other nodes: in its health, and in the log. */
const toldBy = ({ manager, logged }: ClusterNode): { readonly apart: readonly string[]; readonly logged: readonly string[] } => ({
  apart: manager.health().apart.map(({ nodeId, lacks }) => `${nodeId.split('-')[0]} ${lacks}`),
  logged: logged.filter(({ message }) => message === unheard || message === unlisted).map(({ message }) => message),
})

const nothing = { apart: [], logged: [] }

/** Lets the notices to a node take a moment: a node may stand still while its beat is on its way. */
const slowNotices = ({ clock }: VirtualCluster): Interceptor =>
  onCalls({ 'inbound.notice': (next, notice) => void clock.schedule(5, () => next(notice)) })

/** Within this time after the later of two nodes has started, both tell that they are apart: two renewals. */
const tellMs = 2 * 5_000

/** The moments between two renewals of the other nodes at which a node starts. */
const phases = Array.from({ length: 21 }, (_, index) => index * 250)

describe('a node on another broker', () => {
  it('is told by health, log and doctor of both nodes, within two renewals', async () => {
    await using cluster = new VirtualCluster()
    const right = await cluster.node(front)
    const misplaced = await cluster.node({ own: { messaging: cluster.otherMemory() } })
    await cluster.advance(tellMs)
    expect(toldBy(right)).toEqual({ apart: ['b messaging'], logged: [unheard] })
    expect(toldBy(misplaced)).toEqual({ apart: ['a messaging'], logged: [unheard] })
    for (const { manager } of [right, misplaced])
      expect(manager.health()).toMatchObject({ ok: false, peers: { ok: false, why: expect.stringContaining('does not share') as string } })
    const [finding] = (await right.manager.doctor()).findings
    expect(finding).toMatchObject({ kind: 'apart', reason: 'otherMessaging', nodeId: misplaced.id })
  })

  it.each(phases)(
    'is told by all within two renewals, %i ms after one of them, and leaves the nodes healthy that are right',
    async (ms) => {
      await using cluster = new VirtualCluster()
      const right = [await cluster.node(front)]
      await cluster.advance(1_700)
      right.push(await cluster.node())
      await cluster.advance(58_300 + ms)
      const misplaced = await cluster.node({ own: { messaging: cluster.otherMemory() } })
      await cluster.advance(tellMs)
      for (const node of right) {
        expect(toldBy(node)).toEqual({ apart: ['c messaging'], logged: [unheard] })
        expect(node.manager.health()).toMatchObject({ ok: true, peers: { ok: true } })
      }
      expect(toldBy(misplaced).apart.toSorted()).toEqual(['a messaging', 'b messaging'])
      expect(misplaced.manager.health().ok).toBe(false)
      await misplaced.kill()
      await cluster.advance(30_000)
      for (const node of right) expect(toldBy(node).apart).toEqual([])
    },
  )

  it.each(phases)('is told within two renewals, by a node that starts %i ms after it, too', async (ms) => {
    await using cluster = new VirtualCluster()
    const misplaced = await cluster.node({ ...front, own: { messaging: cluster.otherMemory() } })
    await cluster.advance(ms)
    const right = await cluster.node(front)
    await cluster.advance(tellMs)
    expect(toldBy(right).apart).toEqual(['a messaging'])
    expect(toldBy(misplaced).apart).toEqual(['b messaging'])
  })

  it('takes no tasks in the eyes of the doctor', async () => {
    await using cluster = new VirtualCluster()
    const right = await cluster.node({ ...front, janitor: { intervalMs: 1_000_000_000 } })
    const misplaced = await cluster.node({ own: { messaging: cluster.otherMemory() }, janitor: { intervalMs: 1_000_000_000 } })
    await right.manager.submit(cluster.held().task, null)
    await cluster.advance(60_000)
    const { findings } = await right.manager.doctor()
    expect(findings.map(({ kind, reason }) => `${kind} ${reason}`)).toEqual(['apart otherMessaging', 'stuck nobodyTakes'])
    expect(findings[1]?.why).toContain(`node ${misplaced.id} does, and does not share the messaging of this node`)
  })

  it('does not keep its share of the tasks to repair: it cannot send their messages', async () => {
    await using cluster = new VirtualCluster()
    const worker = await cluster.node({ worker: { slots: 100 } })
    await cluster.node({ ...front, own: { messaging: cluster.otherMemory() } })
    await cluster.node(front)
    await cluster.advance(60_000)
    worker.manager.worker?.pause()
    const tasks: TaskHandle<unknown, unknown>[] = []
    for (let index = 0; index < 12; index++) {
      // Another cohort, so another shard.
      await cluster.advance(1_000)
      tasks.push(await worker.manager.submit(cluster.held().task, null))
    }
    expect(await cluster.loseMessages()).toBe(12)
    worker.manager.worker?.resume()
    await cluster.until('all tasks run', () => tasks.every((task) => cluster.find(task) !== undefined), 90_000)
  })

  it('is no longer told once its notices arrive', async () => {
    await using cluster = new VirtualCluster()
    const one = await cluster.node(front)
    const other = await cluster.node(front)
    one.faults.dropsNotice = ({ node }) => node === other.id
    await cluster.advance(30_000)
    expect(toldBy(one).apart).toEqual(['b messaging'])
    one.faults.dropsNotice = () => false
    await cluster.advance(5_100)
    expect(toldBy(one).apart).toEqual([])
    expect(one.manager.health().ok).toBe(true)
  })
})

describe('a node on another database', () => {
  it.each(phases)('is told by health, log and doctor of both nodes, within two renewals, %i ms after a renewal of one', async (ms) => {
    await using cluster = new VirtualCluster()
    const right = await cluster.node(front)
    await cluster.advance(60_000 + ms)
    const misplaced = await cluster.node({ ...front, own: { storage: cluster.otherMemory() } })
    await cluster.advance(tellMs)
    expect(toldBy(right)).toEqual({ apart: ['b storage'], logged: [unlisted] })
    expect(toldBy(misplaced)).toEqual({ apart: ['a storage'], logged: [unlisted] })
    for (const { manager } of [right, misplaced]) expect(manager.health().ok).toBe(false)
    const [finding] = (await right.manager.doctor()).findings
    expect(finding).toMatchObject({ kind: 'apart', reason: 'otherStorage', nodeId: misplaced.id })
    await misplaced.kill()
    await cluster.advance(30_000)
    expect(toldBy(right).apart).toEqual([])
    expect(right.manager.health().ok).toBe(true)
  })
})

describe('no node is told apart', () => {
  it('on another broker and another database: it is another cluster', async () => {
    await using cluster = new VirtualCluster()
    const one = await cluster.node()
    const memory = cluster.otherMemory()
    const other = await cluster.node({ own: { storage: memory, messaging: memory } })
    await cluster.advance(60_000)
    for (const node of [one, other]) expect(toldBy(node)).toEqual(nothing)
  })

  it('that starts, leaves, or is killed', async () => {
    await using cluster = new VirtualCluster()
    const watching = await cluster.node(front)
    for (let round = 0; round < 8; round++) {
      const node = await cluster.node(front)
      await cluster.advance(round * 1_700)
      if (round % 2 === 0) await node.kill()
      else await Promise.all([node.manager.close(), cluster.advance(1_000)])
      await cluster.advance(round * 1_100)
    }
    await cluster.advance(30_000)
    expect(toldBy(watching)).toEqual(nothing)
  })

  it('whose first beats came before this node listened', async () => {
    await using cluster = new VirtualCluster()
    const early = await cluster.node(front)
    await cluster.advance(1_000)
    const late = await cluster.node(front)
    await cluster.advance(20_000)
    for (const node of [early, late]) expect(toldBy(node)).toEqual(nothing)
  })

  it.each(['freeze', 'suspend'] as const)('that stands still right after its start (%s)', async (stop) => {
    for (const beforeMs of [0, 3, 900, 1_100])
      for (const stillMs of [4_000, 14_000, 16_000, 40_000]) {
        await using cluster = new VirtualCluster()
        const early = await cluster.node({ ...front, intercept: slowNotices(cluster) })
        await cluster.advance(beforeMs)
        early.process[stop]()
        await cluster.advance(stillMs)
        const late = await cluster.node({ ...front, intercept: slowNotices(cluster) })
        await cluster.advance(2_500)
        early.process.thaw()
        await cluster.advance(200)
        // A node that stands still again has no time to send a further beat.
        early.process[stop]()
        await cluster.advance(12_000)
        early.process.thaw()
        await cluster.advance(20_000)
        for (const node of [early, late]) expect(toldBy(node)).toEqual(nothing)
      }
  })

  it('that is frozen', async () => {
    await using cluster = new VirtualCluster()
    const nodes = [await cluster.node(front), await cluster.node(front)] as const
    for (const ms of [4_000, 9_000, 14_000, 40_000]) {
      nodes[1].process.freeze()
      await cluster.advance(ms)
      nodes[1].process.thaw()
      await cluster.advance(30_000)
    }
    for (const node of nodes) expect(toldBy(node)).toEqual(nothing)
  })

  it('that is cut off from its bus', async () => {
    await using cluster = new VirtualCluster()
    const nodes = [await cluster.node(front), await cluster.node(front)] as const
    nodes[1].faults.fail('before', calls('bus'))
    nodes[1].faults.dropsNotice = () => true
    await cluster.advance(60_000)
    nodes[1].faults.heal()
    nodes[1].faults.gap()
    await cluster.advance(30_000)
    for (const node of nodes) expect(toldBy(node)).toEqual(nothing)
  })

  it('that is cut off from storage', async () => {
    await using cluster = new VirtualCluster()
    const nodes = [await cluster.node(front), await cluster.node(front)] as const
    nodes[1].faults.fail('before', storageCalls)
    await cluster.advance(60_000)
    nodes[1].faults.heal()
    await cluster.advance(30_000)
    for (const node of nodes) expect(toldBy(node)).toEqual(nothing)
  })

  it('while this node misses notices, whether its bus reports the gap or not', async () => {
    for (const isTold of [true, false]) {
      await using cluster = new VirtualCluster()
      const nodes = [await cluster.node(front), await cluster.node(front)] as const
      await cluster.advance(2_500)
      for (let ms = 500; ms < 16_000; ms += 700) {
        nodes[0].faults.dropsNotice = () => true
        await cluster.advance(ms)
        nodes[0].faults.dropsNotice = () => false
        if (isTold) nodes[0].faults.gap()
        await cluster.advance(7_000)
      }
      for (const node of nodes) expect(toldBy(node)).toEqual(nothing)
    }
  })

  it('while somebody forges a beat of this node that it has not sent', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node(front)
    await cluster.advance(7_000)
    await node.client.messaging.bus.publish([noticeOf({ node: node.id, number: 1_000_000, isRenewed: true })], {})
    await cluster.advance(60_000)
    const { ok, bus } = node.manager.health()
    expect(ok).toBe(true)
    expect(cluster.clock.now() - (bus.checkedAt ?? 0)).toBeLessThan(6_000)
  })

  it('of a release that sends no beats, or does not tell which beats it received', async () => {
    await using cluster = new VirtualCluster()
    const watching = await cluster.node(front)
    const older = onCalls({
      'bus.publish': (next, notices, options) =>
        next(
          notices.map((notice) => (isBeat(notice) ? { ...notice, status: 'waiting' } : notice)),
          options,
        ),
      'nodes.renew': (next, { beat: _beat, ...node }, ttlMs, options) => next(node, ttlMs, options),
    })
    const mute = onCalls({
      'bus.publish': async (next, notices, options) => (notices.some(isBeat) ? undefined : next(notices, options)),
      'nodes.renew': (next, { beat: _beat, ...node }, ttlMs, options) => next(node, ttlMs, options),
    })
    await cluster.node({ ...front, intercept: older })
    await cluster.node({ ...front, intercept: mute })
    await cluster.node({ ...front, intercept: older, own: { storage: cluster.otherMemory() } })
    await cluster.advance(60_000)
    expect(toldBy(watching)).toEqual(nothing)
  })
})
