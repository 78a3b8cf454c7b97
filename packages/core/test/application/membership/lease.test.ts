import { codeOf } from '@taskledger/core'
import { describe, expect, it } from 'vitest'
import { Stage } from '../stage.ts'

const isStorage = (call: string): boolean => call.startsWith('storage.')

const warnings = (node: { readonly logged: readonly { readonly level: string; readonly message: string }[] }, part: string): number =>
  node.logged.filter(({ message, level }) => level !== 'debug' && message.includes(part)).length

describe('the lease of a node', () => {
  it('is renewed every five seconds', async () => {
    await using stage = new Stage()
    const node = await stage.node({ worker: false })
    await stage.advance(60_000)
    expect(node.calls.filter((call) => call === 'storage.nodes.renew')).toHaveLength(13)
    expect(await stage.storage.nodes.live()).toMatchObject([{ nodeId: node.id, renewedAt: stage.clock.now() }])
  })

  it('is in doubt after 60 percent of its time: nothing more is taken until it is renewed', async () => {
    await using stage = new Stage()
    const node = await stage.node({ worker: { slots: 5 } })
    node.fails = (call) => call === 'storage.nodes.renew'
    await stage.advance(8_900)
    const [early] = await stage.start(node)
    expect(stage.find(early)).toBeDefined()
    await stage.advance(200)
    const late = await node.manager.submit(stage.held(''), null)
    await stage.advance(4_000)
    expect(stage.find(late)).toBe(undefined)
    expect(node.manager.health()).toMatchObject({ ok: false, lease: { ok: false }, consuming: { ok: false } })
    expect(stage.body(early).signal.aborted).toBe(false)
    node.fails = () => false
    await stage.advance(1_500)
    expect(stage.find(late)).toBeDefined()
    expect(stage.body(early).signal.aborted).toBe(false)
  })

  it('that came to be in doubt between a delivery and its claim lets nothing be claimed', async () => {
    await using stage = new Stage()
    const node = await stage.node()
    node.fails = (call) => call === 'storage.nodes.renew'
    await stage.advance(8_900)
    node.delays = (call) => (call === 'storage.events.read' ? 200 : 0)
    // Of a task with a key the history is read first.
    const task = await node.manager.submit(stage.held(''), null, { idempotencyKey: 'one' })
    await stage.advance(3_000)
    expect(await stage.told(task)).toEqual(['Created'])
    node.fails = () => false
    await stage.runs(task, 1)
    stage.body(task).return()
  })

  it('is lost at the end of its time: bodies are told so, and their tasks handed back, uncounted, once the store answers', async () => {
    await using stage = new Stage()
    const node = await stage.node()
    const [task, body] = await stage.start(node)
    node.fails = isStorage
    await stage.advance(14_900)
    expect(body.signal.aborted).toBe(false)
    await stage.advance(200)
    expect(body.signal.reason).toMatchObject({ name: 'TaskAborted', code: 'LEASE_LOST' })
    await stage.advance(60_000)
    expect(await stage.told(task)).toEqual(['Created', 'Started'])
    node.fails = () => false
    expect(await stage.runs(task, 2, 15_000)).toBeLessThan(10_000)
    expect(await stage.told(task)).toEqual(['Created', 'Started', 'Released', 'Started'])
    // As the same node.
    expect((await stage.row(task))?.node).toBe(node.id)
    stage.body(task).return()
  })

  it('counts from when a renewal was sent, not from when it was answered', async () => {
    await using stage = new Stage()
    const node = await stage.node()
    const [, body] = await stage.start(node)
    await stage.advance(4_900)
    // The renewal that is sent at 5,000 is answered at 9,000; every later one fails.
    const { nodes } = stage.storage
    expect(await nodes.live()).toHaveLength(1)
    let sent = 0
    node.delays = (call) => (call === 'storage.nodes.renew' && ++sent === 1 ? 4_000 : 0)
    node.fails = (call) => call === 'storage.nodes.renew' && sent > 1
    await stage.advance(5_000)
    expect(sent).toBe(1)
    await stage.advance(5_000 + 4_000)
    // It is 18,900: 13,900 after it was sent.
    expect(body.signal.aborted).toBe(false)
    await stage.advance(1_200)
    expect(codeOf(body.signal.reason)).toBe('LEASE_LOST')
  })

  it('lets a task finish that is defined so, and its end counts', async () => {
    await using stage = new Stage()
    const node = await stage.node({ held: { onLeaseLost: 'finish' } })
    const [task, body] = await stage.start(node)
    node.fails = isStorage
    await stage.advance(30_000)
    expect(body.signal.aborted).toBe(false)
    body.return('all the same')
    await stage.advance(10_000)
    node.fails = () => false
    await stage.advance(10_000)
    expect(await stage.row(task)).toMatchObject({ status: 'completed', result: 'all the same', attempt: 1 })
  })

  it('leaves a body that does not heed its signal to its end, which counts where nobody ran the task meanwhile', async () => {
    await using stage = new Stage()
    const node = await stage.node({ held: { heeds: false } })
    const [task, body] = await stage.start(node)
    node.fails = isStorage
    await stage.advance(30_000)
    expect(codeOf(body.signal.reason)).toBe('LEASE_LOST')
    node.fails = () => false
    await stage.advance(60_000)
    expect(await stage.told(task)).toEqual(['Created', 'Started'])
    body.return('done')
    await stage.advance(0)
    expect(await stage.row(task)).toMatchObject({ status: 'completed', attempt: 1 })
  })

  it('is reckoned on waking: a node that was frozen is told so, stops what it runs, and settles nothing that runs elsewhere', async () => {
    await using stage = new Stage()
    const frozen = await stage.node({ held: { heeds: false }, worker: { cancelGraceMs: 1_000, drainMs: 0 } })
    const [task, body] = await stage.start(frozen)
    await stage.node()
    await stage.advance(2_000)
    frozen.isDeafTo = () => true
    frozen.freeze()
    expect(await stage.runs(task, 2)).toBeLessThan(40_000)
    expect(stage.body(task, 2).node).toBe('b')
    expect(body.signal.aborted).toBe(false)
    frozen.thaw()
    // Before any time passes.
    expect(codeOf(body.signal.reason)).toBe('LEASE_LOST')
    expect(warnings(frozen, 'stood still')).toBe(1)
    body.return('too late')
    await stage.advance(10_000)
    expect(await stage.told(task)).toEqual(['Created', 'Started', 'Died', 'Started'])
    expect(warnings(frozen, 'ended elsewhere')).toBe(1)
    stage.body(task, 2).return('in time')
    await stage.advance(0)
    expect(await stage.row(task)).toMatchObject({ status: 'completed', result: 'in time', attempt: 2 })
    // It takes part again.
    expect(frozen.manager.health().lease.ok).toBe(true)
    expect((await stage.storage.nodes.live()).map(({ name }) => name).sort()).toEqual(['a', 'b'])
  })

  it.each([{}, { onLeaseLost: 'finish' } as const])(
    'that was lost between a claim and the answer to it lets no body begin, though it is held again (%o)',
    async (held) => {
      await using stage = new Stage()
      const cutOff = await stage.node({ held })
      const heir = await stage.node({ held })
      heir.manager.worker?.pause()
      await stage.advance(20_000)
      let isCutOff = false
      cutOff.losesAnswer = (call) => call === 'storage.events.append' && !isCutOff && (isCutOff = true)
      cutOff.fails = (call) => isCutOff && isStorage(call)
      const task = await heir.manager.submit(stage.held(''), null)
      await stage.until('it was not claimed', () => isCutOff)
      heir.manager.worker?.resume()
      await stage.runs(task, 2)
      // Its lease is back before it can find out about its claim.
      cutOff.fails = (call) => call === 'storage.events.append'
      await stage.until('its lease is not back', () => cutOff.manager.health().lease.ok)
      cutOff.fails = () => false
      await stage.advance(10_000)
      expect(stage.bodies.map(({ node, attempt }) => [node, attempt])).toEqual([['b', 2]])
      expect(await stage.told(task)).toEqual(['Created', 'Started', 'Died', 'Started'])
      stage.body(task).return()
    },
  )

  it('is reckoned where a body reports, even if no timer has told it yet', async () => {
    await using stage = new Stage()
    const frozen = await stage.node()
    const [, body] = await stage.start(frozen)
    frozen.freeze()
    await stage.advance(20_000)
    body.progress('still here')
    expect(codeOf(body.signal.reason)).toBe('LEASE_LOST')
  })

  it('does not begin the body of a claim that was written after it was lost', async () => {
    await using stage = new Stage()
    const node = await stage.node()
    node.fails = (call) => call === 'storage.nodes.renew' || call === 'storage.events.append'
    const other = await stage.node({ worker: false })
    const task = await other.manager.submit(stage.held(''), null)
    await stage.advance(16_000)
    node.fails = (call) => call === 'storage.nodes.renew'
    await stage.advance(5_000)
    expect(stage.bodies).toHaveLength(0)
    expect(await stage.told(task)).toEqual(['Created', 'Started', 'Released'])
    node.fails = () => false
    await stage.advance(5_000)
    expect(stage.bodies).toHaveLength(1)
  })

  it('that cannot be taken at the start keeps the node from claiming, and no longer than that', async () => {
    await using stage = new Stage()
    const broken = await stage.node({ worker: false })
    const node = stage.node({}, (call) => call === 'storage.nodes.renew')
    const task = await broken.manager.submit(stage.held(''), null)
    await stage.advance(20_000)
    const { manager } = await node
    expect(stage.find(task)).toBe(undefined)
    expect(manager.worker?.status).toBe('running')
    ;(await node).fails = () => false
    await stage.advance(1_100)
    expect(stage.find(task)).toBeDefined()
  })
})

describe('a zombie', () => {
  it('is told by the notice of its death, at once', async () => {
    await using stage = new Stage()
    const zombie = await stage.node()
    await stage.node()
    const [task, body] = await stage.start(zombie)
    // No timer tells it anything, and it still hears.
    zombie.freeze()
    await stage.runs(task, 2)
    await stage.advance(0)
    expect(codeOf(body.signal.reason)).toBe('ATTEMPT_LOST')
    stage.body(task, 2).return()
  })
})

describe('an outage of the store', () => {
  it.each([20_000, 60_000, 300_000])('of %i ms is no reason to declare anybody dead, and everything goes on after it', async (outageMs) => {
    await using stage = new Stage()
    const nodes = [await stage.node({ held: { onLeaseLost: 'finish' } }), await stage.node(), await stage.node({ worker: false })]
    await stage.advance(60_000)
    const [finishing] = await stage.start(nodes[0] as never)
    const tasks = [finishing]
    for (let index = 0; index < 4; index++) tasks.push((await stage.start(nodes[0] as never))[0])
    for (const node of nodes) node.fails = isStorage
    await stage.advance(outageMs)
    for (const node of nodes) node.fails = () => false
    await stage.advance(30_000)
    for (const task of tasks) expect(await stage.told(task)).not.toContain('Died')
    for (const body of stage.bodies) body.return()
    await stage.advance(1_000)
    for (const task of tasks) expect(await stage.row(task)).toMatchObject({ status: 'completed' })
    expect(await stage.told(finishing)).toEqual(['Created', 'Started', 'Completed'])
  })

  it('that ends later for one node than for the others does not cost it what it may finish', async () => {
    await using stage = new Stage()
    const late = await stage.node({ held: { onLeaseLost: 'finish' } })
    const others = [await stage.node(), await stage.node({ worker: false })]
    await stage.advance(60_000)
    others[0]?.manager.worker?.pause()
    const [task, body] = await stage.start(late)
    for (const node of [late, ...others]) node.fails = isStorage
    await stage.advance(60_000)
    for (const node of others) node.fails = () => false
    await stage.advance(12_000)
    late.fails = () => false
    await stage.advance(30_000)
    body.return('done')
    await stage.advance(0)
    expect(await stage.told(task)).toEqual(['Created', 'Started', 'Completed'])
  })

  it('that one node alone suffers costs it its tasks, and nobody else', async () => {
    await using stage = new Stage()
    const cutOff = await stage.node()
    const other = await stage.node()
    await stage.advance(60_000)
    other.manager.worker?.pause()
    const [task, body] = await stage.start(cutOff)
    other.manager.worker?.resume()
    cutOff.fails = isStorage
    await stage.runs(task, 2, 30_000)
    // It had stopped by itself before.
    expect(codeOf(body.signal.reason)).toBe('LEASE_LOST')
    expect(await stage.told(task)).toEqual(['Created', 'Started', 'Died', 'Started'])
  })

  it('that a registry forgets everybody in, is none that kills', async () => {
    await using stage = new Stage()
    const nodes = [await stage.node(), await stage.node(), await stage.node({ worker: false })]
    await stage.advance(60_000)
    const [task] = await stage.start(nodes[0] as never)
    for (const { id } of nodes) await stage.storage.nodes.leave(id)
    await stage.advance(60_000)
    expect(await stage.told(task)).toEqual(['Created', 'Started'])
  })
})
