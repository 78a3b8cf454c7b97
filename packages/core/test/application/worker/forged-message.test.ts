import type { TaskDefinition, TaskHandle } from '@taskledger/core'
import { defineTask, unchecked } from '@taskledger/core'
import type { JsonValue, TaskCreated, TaskId, WorkMessage } from '@taskledger/core/ports'
import { describe, expect, it } from 'vitest'
import { firstEventIdOf } from '../../../src/application/commands/first-event-id.ts'
import { liesOf, toldBy } from '../../../src/application/worker/told-task.ts'
import type { ClusterNode } from '@taskledger/test-kit/faults'
import { VirtualCluster } from '../virtual-cluster.ts'

/** What a body got. */
interface Seen {
  readonly type: string
  readonly payload: unknown
  readonly taskId: TaskId
}

class Forgery extends VirtualCluster {
  readonly seen: Seen[] = []
  readonly workers: ClusterNode[] = []
  readonly mail = this.#definition('mail')
  readonly pay = this.#definition('pay')
  readonly alone = this.#definition('alone', 'alone')

  #definition(type: string, queue = 'default'): TaskDefinition<{ to: string }> {
    return defineTask({
      type,
      queue,
      payload: unchecked<{ to: string }>(),
      run: async ({ payload, taskId }) => void this.seen.push({ type, payload, taskId }),
    })
  }

  async open() {
    const queues = { default: {}, alone: { mode: 'serial' } } as const
    const node = await this.node({ tasks: [this.mail, this.pay, this.alone], worker: { queues } })
    this.workers.push(node)
    return node
  }

  /** Submits a task that waits without a message, so that a forged message comes first. */
  async waiting(task: TaskDefinition<{ to: string }> = this.mail): Promise<TaskHandle> {
    const front = await this.node({ tasks: [task], worker: false })
    const handle = await front.manager.submit(task, { to: 'ann' })
    await this.loseMessages(task.queue)
    return handle as TaskHandle
  }

  /** The fields of the log lines with this text. */
  logged(text: string): readonly unknown[] {
    return this.workers.flatMap(({ logged }) => logged).flatMap(({ message, fields }) => (message.includes(text) ? [fields] : []))
  }

  /** The first event of a task. */
  async createdOf(task: { readonly id: TaskId }): Promise<TaskCreated> {
    const [created] = await this.history(task)
    if (created?.type !== 'TaskCreated') throw new Error('a history begins with its creation')
    return created
  }

  async forge(message: WorkMessage, queue = 'default'): Promise<void> {
    const messaging = this.memory.messaging()
    await messaging.queue.send(queue, message)
    await this.advance(0)
  }
}

/** As a forger would make it who knows how ids are made. */
const withOwnId = (created: TaskCreated): TaskCreated => ({ ...created, eventId: firstEventIdOf(created) })

const forgeries: readonly (readonly [string, (created: TaskCreated) => TaskCreated])[] = [
  ['another payload', (created) => ({ ...created, task: { ...created.task, payload: { to: 'mallory' } } })],
  ['another payload, with the id of its digest', (created) => withOwnId({ ...created, task: { ...created.task, payload: { to: 'eve' } } })],
  ['another type', (created) => ({ ...created, task: { ...created.task, type: 'pay' } })],
  ['another type, with the id of its digest', (created) => withOwnId({ ...created, task: { ...created.task, type: 'pay' } })],
  ['a type that this node does not know', (created) => withOwnId({ ...created, task: { ...created.task, type: 'unknown' } })],
  ['more attempts', (created) => withOwnId({ ...created, retry: { ...created.retry, maxAttempts: 1_000 } })],
  ['another time', (created) => withOwnId({ ...created, at: 8.64e15 })],
]

describe('a message that lies about its task', () => {
  it.each(forgeries)('with %s runs what the store says, once', async (_name, forged) => {
    await using cluster = new Forgery()
    const task = await cluster.waiting()
    await cluster.open()
    const created = forged(await cluster.createdOf(task))
    const message = { taskId: task.id, version: 1, sentAt: cluster.clock.now(), created }
    for (let copies = 0; copies < 3; copies++) await cluster.forge(message)
    await cluster.advance(1_000)
    expect(cluster.seen).toEqual([{ type: 'mail', payload: { to: 'ann' }, taskId: task.id }])
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Completed'])
    expect(cluster.logged('the store says otherwise')[0]).toMatchObject({ taskId: task.id, lies: expect.any(Array) as unknown })
  })

  it('with a payload that is nested too deeply to be written as text only names its task', async () => {
    await using cluster = new Forgery()
    const task = await cluster.waiting()
    const stored = await cluster.createdOf(task)
    const depth = 50_000
    const payload = JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as JsonValue
    const message = { taskId: task.id, version: 1, sentAt: 0, created: { ...stored, task: { ...stored.task, payload } } }
    expect(toldBy(message, 'default')).toBe(undefined)
    expect(liesOf(message, stored)).toEqual(['task'])
  })

  it('that leaves out the time before which the task must not start does not start it', async () => {
    await using cluster = new Forgery()
    const { manager } = await cluster.open()
    const task = await manager.submit(cluster.mail, { to: 'ann' }, { delayMs: 60_000 })
    const { notBefore: _notBefore, ...rest } = await cluster.createdOf(task)
    for (const created of [rest, withOwnId(rest)])
      await cluster.forge({ taskId: task.id, version: 1, sentAt: cluster.clock.now(), created })
    await cluster.advance(30_000)
    expect(await cluster.eventTypes(task)).toEqual(['Created'])
    await cluster.advance(31_000)
    expect(cluster.seen).toHaveLength(1)
  })

  it("that carries another task's event runs neither that task under this one's id nor this one twice", async () => {
    await using cluster = new Forgery()
    const task = await cluster.waiting()
    const { manager } = await cluster.open()
    const other = await manager.submit(cluster.pay, { to: 'bob' })
    await cluster.advance(1_000)
    const created = await cluster.createdOf(other)
    await cluster.forge({ taskId: task.id, version: 1, sentAt: cluster.clock.now(), created })
    await cluster.forge({ taskId: task.id, version: 1, sentAt: cluster.clock.now(), created: withOwnId({ ...created, taskId: task.id }) })
    await cluster.advance(1_000)
    expect(cluster.seen).toEqual([
      { type: 'pay', payload: { to: 'bob' }, taskId: other.id },
      { type: 'mail', payload: { to: 'ann' }, taskId: task.id },
    ])
  })

  it('does not run a task of another queue, and sends that task to its own', async () => {
    await using cluster = new Forgery()
    const task = await cluster.waiting(cluster.alone)
    await cluster.open()
    const created = await cluster.createdOf(task)
    const forged = [created, withOwnId({ ...created, queue: 'default' })]
    for (const each of forged) await cluster.forge({ taskId: task.id, version: 1, sentAt: cluster.clock.now(), created: each })
    await cluster.advance(1_000)
    expect(cluster.seen).toEqual([{ type: 'alone', payload: { to: 'ann' }, taskId: task.id }])
    expect(cluster.logged('moved a message')).toContainEqual(expect.objectContaining({ taskId: task.id, queue: 'alone' }))
  })

  it('of a finished task and of a missing one starts nothing', async () => {
    await using cluster = new Forgery()
    const { manager } = await cluster.open()
    const task = await manager.submit(cluster.mail, { to: 'ann' })
    await cluster.advance(1_000)
    const created = await cluster.createdOf(task)
    const missing = '018cc251-f400-7000-8000-000000000000' as TaskId
    for (const forged of [created, withOwnId({ ...created, at: 1 })])
      await cluster.forge({ taskId: task.id, version: 1, sentAt: cluster.clock.now(), created: forged })
    await cluster.forge({ taskId: missing, version: 1, sentAt: cluster.clock.now(), created: withOwnId({ ...created, taskId: missing }) })
    await cluster.advance(60_000)
    expect(cluster.seen).toHaveLength(1)
    expect(await cluster.eventTypes(task)).toEqual(['Created', 'Started', 'Completed'])
    expect(await cluster.history({ id: missing })).toEqual([])
    expect(cluster.depth()).toBe(0)
    expect(cluster.memory.inspect().queues['default']?.deadLetters).toBe(1)
  })

  it.each([Number.MAX_VALUE, Infinity, 2 ** 53, -1])('about its time (%d) makes no waiting message look lost', async (sentAt) => {
    await using cluster = new Forgery()
    const { manager } = await cluster.open()
    const done = await manager.submit(cluster.mail, { to: 'ann' })
    await cluster.advance(1_000)
    const before = { ...manager.worker?.delivered }
    await cluster.forge({ taskId: done.id, version: 2 ** 53, sentAt })
    await cluster.forge({ taskId: '018cc251-f400-7000-8000-000000000000' as TaskId, version: Infinity, sentAt })
    await cluster.advance(60_000)
    expect(manager.worker?.delivered).toEqual(before)
  })

  it('is believed on no point that an older release wrote without a digest', async () => {
    await using cluster = new Forgery()
    const task = await cluster.waiting()
    const created = { ...(await cluster.createdOf(task)), eventId: 'old-node.1' }
    await cluster.storage.events.remove(task.id)
    await cluster.storage.events.append(task.id, 0, [created])
    await cluster.open()
    await cluster.forge({ taskId: task.id, version: 1, sentAt: cluster.clock.now(), created })
    await cluster.advance(1_000)
    expect(cluster.seen).toHaveLength(1)
    expect(cluster.logged('the store says otherwise')).toEqual([])
  })
})

describe('a worker of an earlier life of a task', () => {
  it('settles nothing in the next life, also at the same version', async () => {
    await using cluster = new Forgery()
    const first = cluster.held()
    const node = await cluster.node({ tasks: [first.task] })
    const { storage } = cluster
    const [handle, run] = await cluster.start(node, first)
    // Other nodes have ended the task, removed it and created it again, while this body went on.
    const [created, started] = await cluster.history(handle)
    if (created === undefined || started === undefined) throw new Error('the task has to be claimed')
    await storage.events.remove(handle.id)
    await storage.events.append(handle.id, 0, [
      { ...created, eventId: 'second.1' },
      { ...started, eventId: 'second.2' },
    ])
    run.return('of the first life')
    await cluster.advance(1_000)
    expect((await cluster.history(handle)).map(({ eventId }) => eventId)).toEqual(['second.1', 'second.2'])
  })
})
