import type { TaskHandle } from '@taskledger/core'
import type { CallFilter } from '@taskledger/test-kit/faults'
import { calls } from '@taskledger/test-kit/faults'
import { describe, expect, it } from 'vitest'
import { VirtualCluster } from '../virtual-cluster.ts'

const front = { worker: false } as const

describe('a node that is killed', () => {
  it('has its tasks run again elsewhere within 20 seconds by default, each declared dead once', async () => {
    await using cluster = new VirtualCluster()
    const victim = await cluster.node({ worker: { slots: 10 } })
    const others = [await cluster.node({ worker: { slots: 10 } }), await cluster.node({ worker: { slots: 10 } })]
    for (const { manager } of others) manager.worker?.pause()
    await cluster.advance(30_000)
    const tasks: TaskHandle<unknown, unknown>[] = []
    for (let index = 0; index < 10; index++) tasks.push((await cluster.start(victim))[0])
    await cluster.advance(7_300)
    for (const { manager } of others) manager.worker?.resume()
    await victim.kill()
    const took = await cluster.until('all tasks run again', () => tasks.every((task) => cluster.find(task, 2) !== undefined))
    expect(took).toBeLessThan(20_000)
    for (const task of tasks) {
      expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Died', 'Started'])
      expect((await cluster.history(task))[2]).toMatchObject({ attempt: 1, diedOn: victim.id })
      cluster.run(task, 2).return('done')
    }
    await cluster.advance(0)
    for (const task of tasks) expect(await cluster.row(task)).toMatchObject({ status: 'completed', attempt: 2 })
  })

  it.each([0, 700, 1_900, 3_100, 4_999])('is noticed within 20 seconds, whenever it is killed (%i ms)', async (phase) => {
    await using cluster = new VirtualCluster()
    const victim = await cluster.node()
    await cluster.advance(phase / 3)
    const other = await cluster.node({})
    other.manager.worker?.pause()
    await cluster.advance(20_000 + phase)
    const [task] = await cluster.start(victim)
    await victim.kill()
    other.manager.worker?.resume()
    expect(await cluster.untilRunning(task, 2)).toBeLessThan(20_000)
  })

  it('has its tasks run again as soon when other nodes have just joined', async () => {
    await using cluster = new VirtualCluster()
    const victim = await cluster.node({ worker: { slots: 12 } })
    await cluster.node(front)
    await cluster.advance(30_000)
    const tasks: TaskHandle<unknown, unknown>[] = []
    for (let index = 0; index < 12; index++) {
      // Another cohort, so another shard.
      await cluster.advance(1_000)
      tasks.push((await cluster.start(victim))[0])
    }
    await victim.kill()
    await cluster.advance(9_000)
    for (let index = 0; index < 3; index++) await cluster.node({ worker: { slots: 12 } })
    const took = await cluster.until('all tasks run again', () => tasks.every((task) => cluster.find(task, 2) !== undefined))
    expect(took).toBeLessThan(11_000)
    for (const task of tasks) expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Died', 'Started'])
  })

  it('leaves its shards to new nodes once they can judge', async () => {
    await using cluster = new VirtualCluster()
    const first = await cluster.node(front)
    const victim = await cluster.node({ worker: { slots: 12 } })
    await cluster.advance(10_000)
    for (let index = 0; index < 2; index++) await cluster.node(front)
    await cluster.advance(20_000)
    await first.kill()
    await cluster.advance(60_000)
    const tasks: TaskHandle<unknown, unknown>[] = []
    for (let index = 0; index < 12; index++) {
      // Another cohort, so another shard.
      await cluster.advance(1_000)
      tasks.push((await cluster.start(victim))[0])
    }
    await cluster.advance(10_000)
    await victim.kill()
    await cluster.advance(20_000)
    for (const task of tasks) expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Died'])
  })

  it('holds up only its running tasks', async () => {
    await using cluster = new VirtualCluster()
    const victim = await cluster.node({ worker: { slots: 2 } })
    await cluster.start(victim)
    await cluster.start(victim)
    const waiting = [await victim.manager.submit(cluster.held().task, 1), await victim.manager.submit(cluster.held().task, 2)]
    await cluster.node({ worker: { slots: 10 } })
    await victim.kill()
    await cluster.advance(0)
    for (const task of waiting) expect(cluster.find(task, 1)).toMatchObject({ node: 'b' })
  })

  it('ends its task as died after maxCrashes, and the history shows the crashes', async () => {
    await using cluster = new VirtualCluster()
    await cluster.node(front)
    const first = await cluster.node({ held: { retry: { maxCrashes: 2 } } })
    const task = await first.manager.submit(cluster.held({ retry: { maxCrashes: 2 } }).task, null)
    let doomed = first
    for (let attempt = 1; attempt <= 3; attempt++) {
      await cluster.untilRunning(task, attempt)
      await doomed.kill()
      if (attempt < 3) doomed = await cluster.node()
    }
    await cluster.until('the task ends', async () => (await cluster.row(task))?.status === 'died')
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Died', 'Started', 'Died', 'Started', 'Died'])
    await cluster.advance(120_000)
    expect(cluster.runs.length).toBe(3)
    expect(cluster.depth()).toBe(0)
  })

  it('has its tasks with a cancel request cancelled', async () => {
    await using cluster = new VirtualCluster()
    const victim = await cluster.node()
    const other = await cluster.node(front)
    const [task] = await cluster.start(victim)
    await victim.kill()
    expect((await other.manager.task(task.id).cancel()).outcome).toBe('requested')
    await cluster.until('the task is cancelled', async () => (await cluster.row(task))?.status === 'cancelled', 20_000)
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'CancelRequested', 'Died', 'Cancelled'])
  })

  it('has its retries, its notBefore and its released tasks sent when they are due', async () => {
    await using cluster = new VirtualCluster()
    const retry = { maxAttempts: 2, backoff: { initialMs: 40_000, jitter: 0 } }
    const victim = await cluster.node({ held: { retry } })
    const retried = await victim.manager.submit(cluster.held({ retry }).task, null)
    const notBefore = cluster.clock.now() + 45_000
    const later = await victim.manager.submit(cluster.held().task, null, { notBefore })
    await cluster.advance(0)
    cluster.run(retried, 1).throw(new Error('not yet'))
    await cluster.advance(0)
    await victim.kill()
    await cluster.node()
    await cluster.advance(39_900)
    expect(cluster.find(retried, 2)).toBe(undefined)
    await cluster.advance(200)
    expect(cluster.find(retried, 2)).toMatchObject({ node: 'b' })
    await cluster.advance(4_700)
    expect(cluster.find(later)).toBe(undefined)
    await cluster.advance(200)
    expect(cluster.find(later)).toMatchObject({ node: 'b' })
  })

  it.each(['events.read', 'events.append', 'listing.unfinished', 'nodes.live'] as const)(
    'is declared dead soon even if %s fails for the janitor meanwhile',
    async (failing) => {
      await using cluster = new VirtualCluster()
      const victim = await cluster.node()
      const other = await cluster.node({ commandTimeoutMs: 1_000 })
      const [task] = await cluster.start(victim)
      await cluster.advance(20_000)
      await victim.kill()
      await cluster.advance(9_000)
      other.faults.fail('before', calls(failing))
      await cluster.advance(12_000)
      other.faults.heal()
      expect(await cluster.untilRunning(task, 2)).toBeLessThan(35_000)
    },
  )

  it('is declared dead by one node: the others are refused', async () => {
    await using cluster = new VirtualCluster()
    const victim = await cluster.node()
    for (let index = 0; index < 4; index++) await cluster.node(front)
    const tasks = []
    for (let index = 0; index < 4; index++) tasks.push((await cluster.start(victim))[0])
    await cluster.advance(20_000)
    await victim.kill()
    await cluster.advance(40_000)
    for (const task of tasks) expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Died'])
    // One message for each task, never a growing number.
    expect(cluster.depth()).toBe(4)
  })
})

describe('a node that comes back during a sweep of a janitor', () => {
  it('is not declared dead for a task that it claimed since', async () => {
    await using cluster = new VirtualCluster()
    const cutOff = await cluster.node()
    const other = await cluster.node(front)
    await cluster.advance(30_000)
    const [task] = await cluster.start(cutOff)
    cutOff.faults.fail('before', calls('nodes.renew'))
    cutOff.faults.fail('before', calls('events.append'))
    await cluster.advance(10_000)
    let isSweeping = false
    const isReadOfSweep: CallFilter = ({ name }) => {
      isSweeping ||= name === 'listing.unfinished' && (cluster.find(task, 1)?.signal.aborted ?? false)
      return isSweeping && name === 'events.read'
    }
    other.faults.slow(isReadOfSweep, () => {
      // The node renews its lease, hands back its task, and claims it again before this read is made.
      cutOff.faults.heal()
      return cluster.clock.sleep(3_000)
    })
    await cluster.advance(40_000)
    expect(isSweeping).toBe(true)
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Released', 'Started'])
    expect(cluster.run(task, 2).signal.aborted).toBe(false)
  })
})

describe('a whole cluster that is killed', () => {
  it('is taken over by the next node that starts', async () => {
    await using cluster = new VirtualCluster()
    const nodes = [await cluster.node(), await cluster.node()]
    const [task] = await cluster.start(nodes[0] as never)
    for (const node of nodes) await node.kill()
    await cluster.advance(600_000)
    await cluster.node()
    expect(await cluster.untilRunning(task, 2)).toBeLessThan(30_000)
  })
})

describe('a lost message', () => {
  it('is sent again when the queue is empty', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    node.manager.worker?.pause()
    const task = await node.manager.submit(cluster.held().task, null)
    expect(await cluster.loseMessages()).toBe(1)
    node.manager.worker?.resume()
    expect(await cluster.untilRunning(task, 1)).toBeLessThan(45_000)
  })

  it('is sent even if the submitter was killed before it sent the message', async () => {
    await using cluster = new VirtualCluster()
    const submitter = await cluster.node(front)
    submitter.faults.fail('before', calls('queue.send'))
    const task = await submitter.manager.submit(cluster.held().task, null)
    await submitter.kill()
    await cluster.node()
    expect(await cluster.untilRunning(task, 1)).toBeLessThan(45_000)
  })

  it('is found in a deep queue, and the other messages do not count as lost', async () => {
    await using cluster = new VirtualCluster()
    const worker = await cluster.node({ worker: { slots: 1 } })
    await cluster.node(front)
    const [first] = await cluster.start(worker)
    const lost = await worker.manager.submit(cluster.held().task, 'lost')
    expect(await cluster.loseMessages()).toBe(1)
    await cluster.advance(1_000)
    const behind = await worker.manager.submitMany(
      cluster.held().task,
      Array.from({ length: 50 }, (_, index) => index),
    )
    await cluster.advance(300_000)
    expect(cluster.depth()).toBe(50)
    // A message that was sent 30 seconds later is delivered: earlier messages have been overtaken.
    await cluster.advance(30_000)
    const last = await worker.manager.submit(cluster.held().task, 'last')
    cluster.run(first).return()
    for (const task of behind) {
      await cluster.advance(0)
      cluster.run(task).return()
    }
    await cluster.advance(0)
    expect(cluster.find(last)).toBeDefined()
    await cluster.advance(40_000)
    expect([cluster.depth(), cluster.find(lost)]).toEqual([1, undefined])
    cluster.run(last).return()
    await cluster.advance(0)
    cluster.run(lost).return()
    await cluster.advance(300_000)
    expect([cluster.depth(), cluster.runs.length]).toEqual([0, 53])
  })

  it('is not a message that an outage of the broker delayed behind a newer message', async () => {
    await using cluster = new VirtualCluster()
    const worker = await cluster.node({ worker: { slots: 1 } })
    const submitter = await cluster.node(front)
    for (const node of [worker, submitter]) node.faults.fail('before', calls('queue'))
    await submitter.manager.submitMany(cluster.held().task, Array.from({ length: 20 }).fill(null))
    await cluster.advance(300_000)
    worker.faults.heal()
    await cluster.start(worker)
    submitter.faults.heal()
    cluster.memory.faults.gap()
    await cluster.advance(10_000)
    expect(cluster.depth()).toBe(20)
    await cluster.advance(300_000)
    expect(cluster.depth()).toBe(20)
  })

  it('is sent again only once while no node takes it', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node(front)
    await node.manager.submit(cluster.held().task, null)
    await cluster.loseMessages()
    await cluster.advance(3_600_000)
    expect(cluster.depth()).toBe(1)
  })

  it('is sent less and less often if every copy is lost', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node(front)
    await node.manager.submit(cluster.held().task, null)
    let sent = 0
    for (let minute = 0; minute < 60; minute++) {
      await cluster.advance(60_000)
      sent += await cluster.loseMessages()
    }
    expect(sent).toBeGreaterThan(5)
    expect(sent).toBeLessThan(20)
  })
})

describe('an outdated listing', () => {
  it('is repaired after its node died: the end is saved and published, and waiters are woken', async () => {
    await using cluster = new VirtualCluster()
    const victim = await cluster.node()
    const other = await cluster.node(front)
    const [task, body] = await cluster.start(victim)
    await cluster.advance(1_000)
    other.faults.dropsNotice = ({ node }) => node === victim.id
    const ended = other.manager.task(task.id).finished()
    const types: string[] = []
    other.manager.subscribe(({ type, taskId }) => taskId === task.id && types.push(type))
    victim.faults.fail('before', calls('listing.save'))
    body.return('done')
    await cluster.advance(0)
    expect(await cluster.row(task)).toMatchObject({ status: 'inProgress' })
    await victim.kill()
    other.faults.dropsNotice = () => false
    await cluster.until('the row is repaired', async () => (await cluster.row(task))?.status === 'completed', 20_000)
    expect(await ended).toMatchObject({ status: 'completed', result: 'done' })
    expect(types).toEqual(['TaskCompleted'])
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Completed'])
  })

  it('is repaired while its node lives on, and if it says waiting', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node()
    await cluster.node(front)
    const [running] = await cluster.start(node)
    const [ended, body] = await cluster.start(node)
    body.return()
    await cluster.advance(0)
    const rows = [await cluster.row(running), await cluster.row(ended)]
    for (const row of rows) {
      if (row === undefined) throw new Error('there is no row')
      await cluster.storage.listing.remove(row)
      const { startedAt: _startedAt, node: _node, finishedAt: _finishedAt, result: _result, ...rest } = row
      await cluster.storage.listing.save({ ...rest, status: 'waiting', version: 1, attempt: 0, updatedAt: row.createdAt })
    }
    await cluster.advance(60_000)
    expect(await cluster.row(running)).toMatchObject({ status: 'inProgress', version: 2 })
    expect(await cluster.row(ended)).toMatchObject({ status: 'completed' })
    expect(cluster.runs.length).toBe(2)
  })
})

describe('an undecodable history', () => {
  it('is reported once for each state, counted, and left alone', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node(front)
    const task = await node.manager.submit(cluster.held().task, null)
    await cluster.loseMessages()
    cluster.memory.faults.injectEvent(task.id, '{"v":1,"type":"TaskTeleported"}')
    await cluster.advance(3_600_000)
    expect(node.logged.filter(({ fields, level }) => fields['taskId'] === task.id && level === 'error')).toHaveLength(1)
    expect(node.manager.health().unreadable).toBe(1)
    expect(cluster.depth()).toBe(0)
    const reads = node.calls.filter(({ name }) => name === 'events.read').length
    // The probe reads twelve times a minute, the janitor once in every full sweep.
    expect(reads).toBeLessThan(12 * 60 + 30)
    const { findings } = await node.manager.doctor()
    expect(findings).toMatchObject([{ taskId: task.id, kind: 'unreadable', reason: 'historyUnreadable' }])
  })
})

describe('notices that are lost', () => {
  it('delay neither a cancel nor an awaited end for long', async () => {
    await using cluster = new VirtualCluster()
    const worker = await cluster.node()
    const other = await cluster.node(front)
    worker.faults.dropsNotice = () => true
    other.faults.dropsNotice = () => true
    const [task, body] = await cluster.start(worker)
    const ended = other.manager.task(task.id).finished()
    const seen: string[] = []
    const watched = (async () => {
      for await (const { status } of other.manager.task(task.id).watch()) seen.push(status)
    })()
    await cluster.advance(0)
    await other.manager.task(task.id).cancel({ reason: 'no longer needed' })
    expect(body.signal.aborted).toBe(false)
    await cluster.advance(5_000)
    expect(body.signal.reason).toMatchObject({ code: 'CANCEL_REQUESTED' })
    await cluster.advance(40_000)
    expect(await ended).toMatchObject({ status: 'cancelled' })
    await watched
    expect(seen.at(-1)).toBe('cancelled')
  })
})

describe('a serial queue', () => {
  it('continues after the node with the turn died, and runs its task again', async () => {
    await using cluster = new VirtualCluster()
    const options = { held: { queue: 'one' }, worker: { queues: { one: { slots: 1, mode: 'serial' } } } } as const
    const victim = await cluster.node(options)
    const task = await victim.manager.submit(cluster.held({ queue: 'one' }).task, 1)
    await cluster.advance(0)
    await cluster.node(options)
    const next = await victim.manager.submit(cluster.held({ queue: 'one' }).task, 2)
    await cluster.advance(0)
    await victim.kill()
    await cluster.until('one of the two tasks runs', () => cluster.find(next) !== undefined || cluster.find(task, 2) !== undefined, 20_000)
    const [first, second] = cluster.find(next) === undefined ? [task, next] : [next, task]
    cluster.run(first).return()
    await cluster.until('the other task runs', () => cluster.runs.length === 3, 30_000)
    cluster.run(second).return()
    await cluster.advance(0)
    expect(await cluster.row(task)).toMatchObject({ status: 'completed', attempt: 2 })
    expect(await cluster.row(next)).toMatchObject({ status: 'completed', attempt: 1 })
  })
})
