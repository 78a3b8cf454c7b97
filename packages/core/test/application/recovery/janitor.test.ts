import type { TaskHandle } from '@taskledger/core'
import { describe, expect, it } from 'vitest'
import { Stage } from '../stage.ts'

const front = { worker: false } as const

describe('a node that is killed', () => {
  it('has its tasks run again elsewhere within 20 seconds, each declared dead once, by default', async () => {
    await using stage = new Stage()
    const victim = await stage.node({ worker: { slots: 10 } })
    const others = [await stage.node({ worker: { slots: 10 } }), await stage.node({ worker: { slots: 10 } })]
    for (const { manager } of others) manager.worker?.pause()
    await stage.advance(30_000)
    const tasks: TaskHandle<unknown, unknown>[] = []
    for (let index = 0; index < 10; index++) tasks.push((await stage.start(victim))[0])
    await stage.advance(7_300)
    for (const { manager } of others) manager.worker?.resume()
    victim.kill()
    const took = await stage.until('not all run again', () => tasks.every((task) => stage.find(task, 2) !== undefined))
    expect(took).toBeLessThan(20_000)
    for (const task of tasks) {
      expect(await stage.told(task)).toEqual(['Created', 'Started', 'Died', 'Started'])
      expect((await stage.history(task))[2]).toMatchObject({ attempt: 1, diedOn: victim.id })
      stage.body(task, 2).return('done')
    }
    await stage.advance(0)
    for (const task of tasks) expect(await stage.row(task)).toMatchObject({ status: 'completed', attempt: 2 })
  })

  it.each([0, 700, 1_900, 3_100, 4_999])('is noticed within 20 seconds, whenever it is killed (%i ms)', async (phase) => {
    await using stage = new Stage()
    const victim = await stage.node()
    await stage.advance(phase / 3)
    const other = await stage.node({})
    other.manager.worker?.pause()
    await stage.advance(20_000 + phase)
    const [task] = await stage.start(victim)
    victim.kill()
    other.manager.worker?.resume()
    expect(await stage.runs(task, 2)).toBeLessThan(20_000)
  })

  it('has its tasks run again as soon where other nodes have just joined', async () => {
    await using stage = new Stage()
    const victim = await stage.node({ worker: { slots: 12 } })
    await stage.node(front)
    await stage.advance(30_000)
    const tasks: TaskHandle<unknown, unknown>[] = []
    for (let index = 0; index < 12; index++) {
      // Of another cohort, and so of another shard.
      await stage.advance(1_000)
      tasks.push((await stage.start(victim))[0])
    }
    victim.kill()
    await stage.advance(9_000)
    for (let index = 0; index < 3; index++) await stage.node({ worker: { slots: 12 } })
    const took = await stage.until('not all run again', () => tasks.every((task) => stage.find(task, 2) !== undefined))
    expect(took).toBeLessThan(11_000)
    for (const task of tasks) expect(await stage.told(task)).toEqual(['Created', 'Started', 'Died', 'Started'])
  })

  it('leaves its share to those that have joined, once they can judge', async () => {
    await using stage = new Stage()
    const first = await stage.node(front)
    const victim = await stage.node({ worker: { slots: 12 } })
    await stage.advance(10_000)
    for (let index = 0; index < 2; index++) await stage.node(front)
    await stage.advance(20_000)
    first.kill()
    await stage.advance(60_000)
    const tasks: TaskHandle<unknown, unknown>[] = []
    for (let index = 0; index < 12; index++) {
      // Of another cohort, and so of another shard.
      await stage.advance(1_000)
      tasks.push((await stage.start(victim))[0])
    }
    await stage.advance(10_000)
    victim.kill()
    await stage.advance(20_000)
    for (const task of tasks) expect(await stage.told(task)).toEqual(['Created', 'Started', 'Died'])
  })

  it('holds back nothing but what it ran', async () => {
    await using stage = new Stage()
    const victim = await stage.node({ worker: { slots: 2 } })
    await stage.start(victim)
    await stage.start(victim)
    const waiting = [await victim.manager.submit(stage.held(''), 1), await victim.manager.submit(stage.held(''), 2)]
    await stage.node({ worker: { slots: 10 } })
    victim.kill()
    await stage.advance(0)
    for (const task of waiting) expect(stage.find(task, 1)).toMatchObject({ node: 'b' })
  })

  it('ends as died after maxCrashes where the task is what kills it, with the history that shows it', async () => {
    await using stage = new Stage()
    await stage.node(front)
    const first = await stage.node({ held: { retry: { maxCrashes: 2 } } })
    const task = await first.manager.submit(stage.held('', { retry: { maxCrashes: 2 } }), null)
    let doomed = first
    for (let attempt = 1; attempt <= 3; attempt++) {
      await stage.runs(task, attempt)
      doomed.kill()
      if (attempt < 3) doomed = await stage.node()
    }
    await stage.until('it does not end', async () => (await stage.row(task))?.status === 'died')
    expect(await stage.told(task)).toEqual(['Created', 'Started', 'Died', 'Started', 'Died', 'Started', 'Died'])
    await stage.advance(120_000)
    expect(stage.bodies.length).toBe(3)
    expect(stage.depth()).toBe(0)
  })

  it('has what was to be cancelled cancelled', async () => {
    await using stage = new Stage()
    const victim = await stage.node()
    const other = await stage.node(front)
    const [task] = await stage.start(victim)
    victim.kill()
    expect((await other.manager.task(task.id).cancel()).outcome).toBe('requested')
    await stage.until('it is not cancelled', async () => (await stage.row(task))?.status === 'cancelled', 20_000)
    expect(await stage.told(task)).toEqual(['Created', 'Started', 'CancelRequested', 'Died', 'Cancelled'])
  })

  it('has its retries, its notBefore and its released tasks sent when they are due', async () => {
    await using stage = new Stage()
    const retry = { maxAttempts: 2, backoff: { initialMs: 40_000, jitter: 0 } }
    const victim = await stage.node({ held: { retry } })
    const retried = await victim.manager.submit(stage.held('', { retry }), null)
    const notBefore = stage.clock.now() + 45_000
    const later = await victim.manager.submit(stage.held(''), null, { notBefore })
    await stage.advance(0)
    stage.body(retried, 1).throw(new Error('not yet'))
    await stage.advance(0)
    victim.kill()
    await stage.node()
    await stage.advance(39_900)
    expect(stage.find(retried, 2)).toBe(undefined)
    await stage.advance(200)
    expect(stage.find(retried, 2)).toMatchObject({ node: 'b' })
    await stage.advance(4_700)
    expect(stage.find(later)).toBe(undefined)
    await stage.advance(200)
    expect(stage.find(later)).toMatchObject({ node: 'b' })
  })

  it.each(['storage.events.read', 'storage.events.append', 'storage.listing.unfinished', 'storage.nodes.live'])(
    'is declared dead before long where the janitor meets an outage of %s just then',
    async (failing) => {
      await using stage = new Stage()
      const victim = await stage.node()
      const other = await stage.node({ commandTimeoutMs: 1_000 })
      const [task] = await stage.start(victim)
      await stage.advance(20_000)
      victim.kill()
      await stage.advance(9_000)
      other.fails = (call) => call === failing
      await stage.advance(12_000)
      other.fails = () => false
      expect(await stage.runs(task, 2)).toBeLessThan(35_000)
    },
  )

  it('is declared dead by one: the others are refused', async () => {
    await using stage = new Stage()
    const victim = await stage.node()
    for (let index = 0; index < 4; index++) await stage.node(front)
    const tasks = []
    for (let index = 0; index < 4; index++) tasks.push((await stage.start(victim, index))[0])
    await stage.advance(20_000)
    victim.kill()
    await stage.advance(40_000)
    for (const task of tasks) expect(await stage.told(task)).toEqual(['Created', 'Started', 'Died'])
    // One message for each, or two where two nodes sent it: never a growing heap.
    expect(stage.depth()).toBe(4)
  })
})

describe('a node that comes back while a janitor looks', () => {
  it('is not declared dead for what it claimed since', async () => {
    await using stage = new Stage()
    const cutOff = await stage.node()
    const other = await stage.node(front)
    await stage.advance(30_000)
    const [task] = await stage.start(cutOff)
    cutOff.fails = (call) => call === 'storage.nodes.renew' || call === 'storage.events.append'
    await stage.advance(10_000)
    let isSweeping = false
    other.delays = (call) => {
      isSweeping ||= call === 'storage.listing.unfinished' && (stage.find(task, 1)?.signal.aborted ?? false)
      if (!isSweeping || call !== 'storage.events.read') return 0
      // It can renew itself again, hands back what it ran, and claims it anew, before this read is made.
      cutOff.fails = () => false
      return 3_000
    }
    await stage.advance(40_000)
    expect(isSweeping).toBe(true)
    expect(await stage.told(task)).toEqual(['Created', 'Started', 'Released', 'Started'])
    expect(stage.body(task, 2).signal.aborted).toBe(false)
  })
})

describe('a whole cluster that is killed', () => {
  it('is taken up by whoever starts next', async () => {
    await using stage = new Stage()
    const nodes = [await stage.node(), await stage.node()]
    const [task] = await stage.start(nodes[0] as never)
    for (const node of nodes) node.kill()
    await stage.advance(600_000)
    await stage.node()
    expect(await stage.runs(task, 2)).toBeLessThan(30_000)
  })
})

describe('a lost message', () => {
  it('is sent again where the queue is empty', async () => {
    await using stage = new Stage()
    const node = await stage.node()
    node.manager.worker?.pause()
    const task = await node.manager.submit(stage.held(''), null)
    expect(await stage.loseMessages()).toBe(1)
    node.manager.worker?.resume()
    expect(await stage.runs(task, 1)).toBeLessThan(45_000)
  })

  it('is sent again where it was never sent: the submitter was killed in between', async () => {
    await using stage = new Stage()
    const submitter = await stage.node(front)
    submitter.fails = (call) => call === 'messaging.queue.send'
    const task = await submitter.manager.submit(stage.held(''), null)
    submitter.kill()
    await stage.node()
    expect(await stage.runs(task, 1)).toBeLessThan(45_000)
  })

  it('is found in a deep queue, and the others are not taken for lost', async () => {
    await using stage = new Stage()
    const worker = await stage.node({ worker: { slots: 1 } })
    await stage.node(front)
    const [first] = await stage.start(worker)
    const lost = await worker.manager.submit(stage.held(''), 'lost')
    expect(await stage.loseMessages()).toBe(1)
    await stage.advance(1_000)
    const behind = await worker.manager.submitMany(
      stage.held(''),
      Array.from({ length: 50 }, (_, index) => index),
    )
    await stage.advance(300_000)
    expect(stage.depth()).toBe(50)
    // One that was sent 30 seconds later is delivered: what was sent before has been overtaken.
    await stage.advance(30_000)
    const last = await worker.manager.submit(stage.held(''), 'last')
    stage.body(first).return()
    for (const task of behind) {
      await stage.advance(0)
      stage.body(task).return()
    }
    await stage.advance(0)
    expect(stage.find(last)).toBeDefined()
    await stage.advance(40_000)
    expect([stage.depth(), stage.find(lost)]).toEqual([1, undefined])
    stage.body(last).return()
    await stage.advance(0)
    stage.body(lost).return()
    await stage.advance(300_000)
    expect([stage.depth(), stage.bodies.length]).toEqual([0, 53])
  })

  it('is none that was kept back while the broker was away, and came to it behind a newer one', async () => {
    await using stage = new Stage()
    const worker = await stage.node({ worker: { slots: 1 } })
    const submitter = await stage.node(front)
    for (const node of [worker, submitter]) node.fails = (call) => call.startsWith('messaging.queue.')
    await submitter.manager.submitMany(stage.held(''), Array.from({ length: 20 }).fill(null))
    await stage.advance(300_000)
    worker.fails = () => false
    await stage.start(worker)
    submitter.fails = () => false
    stage.memory.faults.gap()
    await stage.advance(10_000)
    expect(stage.depth()).toBe(20)
    await stage.advance(300_000)
    expect(stage.depth()).toBe(20)
  })

  it('is not sent again and again while nobody takes it', async () => {
    await using stage = new Stage()
    const node = await stage.node(front)
    await node.manager.submit(stage.held(''), null)
    await stage.loseMessages()
    await stage.advance(3_600_000)
    expect(stage.depth()).toBe(1)
  })

  it('is sent more and more rarely where every one is lost', async () => {
    await using stage = new Stage()
    const node = await stage.node(front)
    await node.manager.submit(stage.held(''), null)
    let sent = 0
    for (let minute = 0; minute < 60; minute++) {
      await stage.advance(60_000)
      sent += await stage.loseMessages()
    }
    expect(sent).toBeGreaterThan(5)
    expect(sent).toBeLessThan(20)
  })
})

describe('a listing that was left behind', () => {
  it('is put right where its node died: an end is saved and announced, and whoever waits is told', async () => {
    await using stage = new Stage()
    const victim = await stage.node()
    const other = await stage.node(front)
    const [task, body] = await stage.start(victim)
    await stage.advance(1_000)
    other.isDeafTo = ({ node }) => node === victim.id
    const ended = other.manager.task(task.id).finished()
    const types: string[] = []
    other.manager.subscribe(({ type, taskId }) => taskId === task.id && types.push(type))
    victim.fails = (call) => call === 'storage.listing.save'
    body.return('done')
    await stage.advance(0)
    expect(await stage.row(task)).toMatchObject({ status: 'inProgress' })
    victim.kill()
    other.isDeafTo = () => false
    await stage.until('the row is not put right', async () => (await stage.row(task))?.status === 'completed', 20_000)
    expect(await ended).toMatchObject({ status: 'completed', result: 'done' })
    expect(types).toEqual(['TaskCompleted'])
    expect(await stage.told(task)).toEqual(['Created', 'Started', 'Completed'])
  })

  it('is put right where its node lives on, and where it says waiting', async () => {
    await using stage = new Stage()
    const node = await stage.node()
    await stage.node(front)
    const [running] = await stage.start(node)
    const [ended, body] = await stage.start(node)
    body.return()
    await stage.advance(0)
    const rows = [await stage.row(running), await stage.row(ended)]
    for (const row of rows) {
      if (row === undefined) throw new Error('there is no row')
      await stage.storage.listing.remove(row)
      const { startedAt: _startedAt, node: _node, finishedAt: _finishedAt, result: _result, ...rest } = row
      await stage.storage.listing.save({ ...rest, status: 'waiting', version: 1, attempt: 0, updatedAt: row.createdAt })
    }
    await stage.advance(60_000)
    expect(await stage.row(running)).toMatchObject({ status: 'inProgress', version: 2 })
    expect(await stage.row(ended)).toMatchObject({ status: 'completed' })
    expect(stage.bodies.length).toBe(2)
  })
})

describe('an undecodable history', () => {
  it('is reported once for each state, counted, left alone, and never loops', async () => {
    await using stage = new Stage()
    const node = await stage.node(front)
    const task = await node.manager.submit(stage.held(''), null)
    await stage.loseMessages()
    stage.memory.faults.injectEvent(task.id, '{"v":1,"type":"TaskTeleported"}')
    await stage.advance(3_600_000)
    expect(node.logged.filter(({ fields, level }) => fields['taskId'] === task.id && level === 'error')).toHaveLength(1)
    expect(node.manager.health().unreadable).toBe(1)
    expect(stage.depth()).toBe(0)
    const reads = node.calls.filter((call) => call === 'storage.events.read').length
    // The pulse reads twelve times a minute, the janitor once in every full sweep.
    expect(reads).toBeLessThan(12 * 60 + 30)
    const { findings } = await node.manager.doctor()
    expect(findings).toMatchObject([{ taskId: task.id, kind: 'unreadable', reason: 'historyUnreadable' }])
  })
})

describe('notices that are lost', () => {
  it('keep neither a cancel from its task nor an end from whoever waits', async () => {
    await using stage = new Stage()
    const worker = await stage.node()
    const other = await stage.node(front)
    worker.isDeafTo = () => true
    other.isDeafTo = () => true
    const [task, body] = await stage.start(worker)
    const ended = other.manager.task(task.id).finished()
    const seen: string[] = []
    const watched = (async () => {
      for await (const { status } of other.manager.task(task.id).watch()) seen.push(status)
    })()
    await stage.advance(0)
    await other.manager.task(task.id).cancel({ reason: 'no longer needed' })
    expect(body.signal.aborted).toBe(false)
    await stage.advance(5_000)
    expect(body.signal.reason).toMatchObject({ code: 'CANCEL_REQUESTED' })
    await stage.advance(40_000)
    expect(await ended).toMatchObject({ status: 'cancelled' })
    await watched
    expect(seen.at(-1)).toBe('cancelled')
  })
})

describe('a serial queue', () => {
  it('goes on after its holder died, and runs what it ran again', async () => {
    await using stage = new Stage()
    const options = { held: { queue: 'one' }, worker: { queues: { one: { slots: 1, mode: 'serial' } } } } as const
    const victim = await stage.node(options)
    const task = await victim.manager.submit(stage.held('', { queue: 'one' }), 1)
    await stage.advance(0)
    await stage.node(options)
    const next = await victim.manager.submit(stage.held('', { queue: 'one' }), 2)
    await stage.advance(0)
    victim.kill()
    await stage.until('the next does not run', () => stage.find(next) !== undefined || stage.find(task, 2) !== undefined, 20_000)
    const [first, second] = stage.find(next) === undefined ? [task, next] : [next, task]
    stage.body(first).return()
    await stage.until('the other does not run', () => stage.bodies.length === 3, 30_000)
    stage.body(second).return()
    await stage.advance(0)
    expect(await stage.row(task)).toMatchObject({ status: 'completed', attempt: 2 })
    expect(await stage.row(next)).toMatchObject({ status: 'completed', attempt: 1 })
  })
})
