import { CallFaults, calls } from '@taskledger/test-kit/faults'
import { describe, expect, it } from 'vitest'
import { VirtualCluster } from '../virtual-cluster.ts'

const front = { worker: false } as const
const hour = 3_600_000
const month = 30 * 24 * hour
const retry = { maxAttempts: 3, backoff: { initialMs: 200, jitter: 0 } }
const slow = { maxAttempts: 2, backoff: { initialMs: 60_000, maxMs: 60_000, jitter: 0 } }

describe.each([hour, -hour, month, -month])('a submitter whose clock is %i ms ahead', (skewMs) => {
  it('delays no retry: a backoff of 200 ms takes 200 ms', async () => {
    await using cluster = new VirtualCluster()
    const submitter = await cluster.node({ ...front, skewMs })
    await cluster.node({ held: { retry } })
    const task = await submitter.manager.submit(cluster.held({ retry }).task, null)
    await cluster.advance(0)
    cluster.run(task, 1).throw(new Error('not yet'))
    await cluster.advance(199)
    expect(cluster.find(task, 2)).toBe(undefined)
    await cluster.advance(1)
    expect(cluster.find(task, 2)).toBeDefined()
  })

  it('delays no task that it delays itself', async () => {
    await using cluster = new VirtualCluster()
    const submitter = await cluster.node({ ...front, skewMs })
    await cluster.node()
    const task = await submitter.manager.submit(cluster.held().task, null, { delayMs: 30_000 })
    await cluster.advance(29_999)
    expect(cluster.find(task)).toBe(undefined)
    await cluster.advance(1)
    expect(cluster.find(task)).toBeDefined()
  })

  it('delays no task of a killed node: it runs again within 20 seconds', async () => {
    await using cluster = new VirtualCluster()
    const submitter = await cluster.node({ ...front, skewMs })
    const victim = await cluster.node()
    await cluster.advance(30_000)
    const task = await submitter.manager.submit(cluster.held().task, null)
    await cluster.untilRunning(task, 1)
    await cluster.node()
    await victim.kill()
    expect(await cluster.untilRunning(task, 2)).toBeLessThan(20_000)
  })

  it('has its lost messages sent again within 50 seconds', async () => {
    await using cluster = new VirtualCluster()
    const submitter = await cluster.node({ ...front, skewMs })
    const worker = await cluster.node()
    await cluster.advance(20_000)
    worker.manager.worker?.pause()
    const task = await submitter.manager.submit(cluster.held().task, null)
    expect(await cluster.loseMessages()).toBe(1)
    worker.manager.worker?.resume()
    expect(await cluster.untilRunning(task, 1)).toBeLessThan(50_000)
  })

  it('and that is gone has its lost messages sent again by nodes that never saw it', async () => {
    await using cluster = new VirtualCluster()
    const submitter = await cluster.node({ ...front, skewMs })
    const task = await submitter.manager.submit(cluster.held().task, null)
    expect(await cluster.loseMessages()).toBe(1)
    await submitter.kill()
    await cluster.advance(60_000)
    await cluster.node()
    expect(await cluster.untilRunning(task, 1)).toBeLessThan(50_000)
  })

  it('does not make the messages of a deep queue look lost', async () => {
    await using cluster = new VirtualCluster()
    const submitter = await cluster.node({ ...front, skewMs })
    const worker = await cluster.node({ worker: { slots: 1 } })
    await cluster.advance(20_000)
    const first = await submitter.manager.submit(cluster.held().task, null)
    await cluster.untilRunning(first, 1)
    await submitter.manager.submitMany(cluster.held().task, Array.from({ length: 20 }).fill(null))
    await worker.manager.submitMany(cluster.held().task, Array.from({ length: 20 }).fill(null))
    await cluster.advance(600_000)
    cluster.run(first).return()
    await cluster.advance(600_000)
    expect(cluster.depth()).toBe(39)
  })

  it('has a lost message found among others that are delivered', async () => {
    await using cluster = new VirtualCluster()
    const submitter = await cluster.node({ ...front, skewMs })
    const worker = await cluster.node({ worker: { slots: 1 } })
    await cluster.advance(20_000)
    const [first] = await cluster.start(worker)
    const lost = await submitter.manager.submit(cluster.held().task, 'lost')
    expect(await cluster.loseMessages()).toBe(1)
    await cluster.advance(1_000)
    const behind = await worker.manager.submit(cluster.held().task, 'behind')
    await cluster.advance(60_000)
    const last = await worker.manager.submit(cluster.held().task, 'last')
    const tail = await worker.manager.submit(cluster.held().task, 'tail')
    for (const task of [first, behind]) {
      expect(cluster.find(lost)).toBe(undefined)
      cluster.run(task).return()
      await cluster.advance(0)
    }
    // The queue has delivered a message that was sent a minute later.
    expect([cluster.find(last)?.payload, cluster.depth()]).toEqual(['last', 1])
    await cluster.until('the message is sent again', () => cluster.depth() === 2, 45_000)
    for (const task of [last, tail]) {
      cluster.run(task).return()
      await cluster.advance(0)
    }
    cluster.run(lost).return()
  })
})

describe.each([hour, -hour, month, -month])('a submitter that cannot renew its lease and whose clock is %i ms ahead', (skewMs) => {
  /** The others hear the beats of the submitter, and never learn its clock. */
  const submitDelayed = async (cluster: VirtualCluster) => {
    await cluster.node()
    const faults = new CallFaults()
    faults.fail('before', calls('nodes.renew'))
    const submitter = await cluster.node({ ...front, skewMs, faults })
    return { submitter, task: await submitter.manager.submit(cluster.held().task, null, { delayMs: 30_000 }) }
  }

  it('has no delayed task started before its time', async () => {
    await using cluster = new VirtualCluster()
    const { task } = await submitDelayed(cluster)
    await cluster.advance(29_999)
    expect(cluster.find(task)).toBe(undefined)
    await cluster.advance(1)
    expect(cluster.find(task)).toBeDefined()
  })

  it('nor if it closes', async () => {
    await using cluster = new VirtualCluster()
    const { submitter, task } = await submitDelayed(cluster)
    await cluster.advance(10_000)
    await submitter.manager.close()
    await cluster.advance(19_900)
    expect(cluster.find(task)).toBe(undefined)
    await cluster.advance(200)
    expect(cluster.find(task)).toBeDefined()
  })

  it('nor if it is killed: then the task starts one sweep late at most', async () => {
    await using cluster = new VirtualCluster()
    const { submitter, task } = await submitDelayed(cluster)
    await submitter.kill()
    await cluster.advance(29_999)
    expect(cluster.find(task)).toBe(undefined)
    expect(await cluster.untilRunning(task, 1)).toBeLessThan(50_000)
  })
})

describe('a worker whose clock differs', () => {
  it.each([hour, -hour])('by %i ms delays its retries as long as they should last, also if another node takes over', async (skewMs) => {
    await using cluster = new VirtualCluster()
    const victim = await cluster.node({ skewMs, held: { retry: slow } })
    const heir = await cluster.node({ held: { retry: slow } })
    await cluster.advance(20_000)
    heir.manager.worker?.pause()
    const task = await heir.manager.submit(cluster.held({ retry: slow }).task, null)
    await cluster.untilRunning(task, 1)
    cluster.run(task, 1).throw(new Error('not yet'))
    await cluster.advance(0)
    await victim.kill()
    heir.manager.worker?.resume()
    await cluster.advance(59_900)
    expect(cluster.find(task, 2)).toBe(undefined)
    // The clock of the killed node is known as exactly as it renewed its lease.
    await cluster.advance(5_200)
    expect(cluster.find(task, 2)).toBeDefined()
  })

  it.each([hour, -hour])('by %i ms does not start a task before its time, when another node closes', async (skewMs) => {
    await using cluster = new VirtualCluster()
    const submitter = await cluster.node(front)
    await cluster.node({ skewMs })
    const task = await submitter.manager.submit(cluster.held().task, null, { delayMs: 60_000 })
    await cluster.advance(10_000)
    await submitter.manager.close()
    await cluster.advance(49_900)
    expect(cluster.find(task)).toBe(undefined)
    await cluster.advance(200)
    expect(cluster.find(task)).toBeDefined()
  })

  it('takes the whole delay for a task of a submitter that it has not seen, when the submit is repeated on it', async () => {
    await using cluster = new VirtualCluster()
    const ahead = await cluster.node({ skewMs: hour })
    await cluster.advance(1_000)
    const submitter = await cluster.node(front)
    const options = { delayMs: 30_000, idempotencyKey: 'once' }
    const task = await submitter.manager.submit(cluster.held().task, null, options)
    await ahead.manager.submit(cluster.held().task, null, options)
    await cluster.advance(29_900)
    expect(cluster.find(task)).toBe(undefined)
    await cluster.advance(200)
    expect(cluster.find(task)).toBeDefined()
  })

  it('starts a task on a message of its version, and refuses an older message before its time', async () => {
    await using cluster = new VirtualCluster()
    const ahead = await cluster.node({ skewMs: hour, held: { retry: slow } })
    await cluster.advance(20_000)
    const task = await ahead.manager.submit(cluster.held({ retry: slow }).task, null)
    await cluster.untilRunning(task, 1)
    cluster.run(task, 1).throw(new Error('not yet'))
    await cluster.advance(0)
    await cluster.node({ held: { retry: slow } })
    const { messaging } = (await cluster.node(front)).client
    const send = async (version: number): Promise<void> => {
      await messaging.queue.send('default', { taskId: task.id, version, sentAt: cluster.clock.now(), sentBy: 'another' })
      await cluster.advance(100)
    }
    // Not even a message of its version is believed, as long as the clock of the writer is known to be far from the time.
    for (const version of [1, 2, 3]) await send(version)
    expect(cluster.find(task, 2)).toBe(undefined)
    await cluster.advance(52_000)
    for (const version of [1, 2]) await send(version)
    expect(cluster.find(task, 2)).toBe(undefined)
    await send(3)
    expect(cluster.find(task, 2)).toBeDefined()
  })
})

describe('a clock that is set while a task waits', () => {
  it('back by an hour does not hide a lost message', async () => {
    await using cluster = new VirtualCluster()
    const submitter = await cluster.node({ ...front, skewMs: hour })
    await cluster.advance(20_000)
    const task = await submitter.manager.submit(cluster.held().task, null)
    expect(await cluster.loseMessages()).toBe(1)
    submitter.process.skewMs = 0
    await cluster.node()
    expect(await cluster.untilRunning(task, 1)).toBeLessThan(60_000)
  })

  it.each([hour, -hour])('by %i ms while the end of an attempt is written does not change its backoff', async (skewMs) => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node({ held: { retry: slow } })
    const [task] = await cluster.start(node, cluster.held({ retry: slow }))
    node.faults.slow(calls('events.append'), () => cluster.clock.sleep(1_000))
    cluster.run(task, 1).throw(new Error('not yet'))
    await cluster.advance(500)
    node.process.skewMs = skewMs
    await cluster.advance(59_400)
    expect(cluster.find(task, 2)).toBe(undefined)
    await cluster.advance(2_000)
    expect(cluster.find(task, 2)).toBeDefined()
  })

  it('and whose node is gone bounds a retry by its policy', async () => {
    await using cluster = new VirtualCluster()
    const victim = await cluster.node({ skewMs: hour, held: { retry: slow } })
    const [task] = await cluster.start(victim, cluster.held({ retry: slow }))
    cluster.run(task, 1).throw(new Error('not yet'))
    await cluster.advance(0)
    await victim.kill()
    await cluster.advance(20_000)
    // This node never saw the clock of the other.
    await cluster.node({ held: { retry: slow } })
    expect(await cluster.untilRunning(task, 2, 100_000)).toBeLessThan(90_000)
  })
})

describe('retention', () => {
  it.each([month, -month])('on a node whose clock is %i ms ahead removes nothing that others call young', async (skewMs) => {
    await using cluster = new VirtualCluster()
    const options = { retention: { finishedMs: hour }, janitor: { intervalMs: 1_000 } }
    const right = await cluster.node(options)
    const wrong = await cluster.node({ ...options, skewMs })
    await cluster.advance(20_000)
    const tasks = [await right.manager.submit(cluster.held().task, 1), await wrong.manager.submit(cluster.held().task, 2)]
    for (const task of tasks) {
      await cluster.untilRunning(task, 1)
      cluster.run(task).return()
    }
    await cluster.advance(hour / 2)
    for (const task of tasks) expect(await cluster.row(task)).toMatchObject({ status: 'completed' })
  })

  it('on a single node whose clock is set a month ahead removes nothing for a day', async () => {
    await using cluster = new VirtualCluster()
    const node = await cluster.node({ retention: { finishedMs: hour }, janitor: { intervalMs: 1_000 } })
    const [task, run] = await cluster.start(node)
    run.return()
    await cluster.advance(20_000)
    node.process.skewMs = month
    await cluster.advance(hour / 2)
    expect(await cluster.row(task)).toMatchObject({ status: 'completed' })
    node.process.skewMs = 0
    await cluster.advance(hour)
    expect(await cluster.row(task)).toBe(undefined)
  })
})
