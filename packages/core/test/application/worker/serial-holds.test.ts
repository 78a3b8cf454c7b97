import type { TaskHandle, TaskId } from '@taskledger/core'
import type { ConsumeMode, Delivery, NodeInfo, UnreadableNode } from '@taskledger/core/ports'
import { detailsOf } from '@taskledger/core/ports'
import type { ClusterNode } from '@taskledger/test-kit/faults'
import { calls, onCalls } from '@taskledger/test-kit/faults'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { VirtualCluster } from '../virtual-cluster.ts'

interface Handed {
  /** How it was settled, if it was. */
  readonly settled: string | undefined
  /** Whether the handler has ended. */
  readonly ended: boolean
}

/** A node whose deliveries the test hands over. */
interface HandedNode extends ClusterNode {
  handOver(handle: { readonly id: TaskId }, redelivered?: boolean): Promise<Handed>
}

let cluster: VirtualCluster
/** The nodes that were alive when the latest node began to consume. */
let liveAtFirst: readonly (NodeInfo | UnreadableNode)[] = []

beforeEach(() => void (cluster = new VirtualCluster()))
afterEach(() => cluster[Symbol.asyncDispose]())

const nodeWith = async (mode: ConsumeMode = 'serial'): Promise<HandedNode> => {
  let handler: ((delivery: Delivery) => Promise<void>) | undefined
  const handling = new Set<Promise<void>>()
  const intercept = onCalls({
    'queue.send': async () => {},
    'queue.depth': async () => 0,
    'queue.consume': async (_next, _queue, given) => {
      handler = given
      liveAtFirst = await cluster.storage.nodes.live()
      return { resize: () => {}, close: async () => void (await Promise.all(handling)) }
    },
  })
  const node = await cluster.node({ held: { queue: 'one' }, worker: { queues: { one: { slots: 1, mode } } }, intercept })
  return {
    ...node,
    async handOver({ id }, redelivered = false) {
      const [created] = await cluster.history({ id })
      const handed: { settled: string | undefined; ended: boolean } = { settled: undefined, ended: false }
      const settle = (how: string) => async (): Promise<void> => void (handed.settled ??= how)
      const message = { taskId: id, version: 1, sentAt: 0, ...(created?.type === 'TaskCreated' ? { created } : {}) }
      const delivery = {
        message,
        redelivered,
        releases: 0,
        accept: settle('accepted'),
        release: settle('released'),
        reject: settle('rejected'),
      }
      handling.add(handler?.(delivery).finally(() => (handed.ended = true)) ?? Promise.resolve())
      await rest()
      return handed
    },
  }
}

/** Lets everything happen that needs no time. */
const rest = (): Promise<void> => cluster.advance(0)

const submittedTo = ({ manager }: ClusterNode): Promise<TaskHandle<unknown, unknown>> =>
  manager.submit(cluster.held({ queue: 'one' }).task, null)

const startedOn = async (node: HandedNode): Promise<TaskHandle<unknown, unknown>> => {
  const handle = await submittedTo(node)
  await node.handOver(handle)
  expect(attempts()).toEqual([1])
  return handle
}

const attempts = (): readonly number[] => cluster.runs.map(({ attempt }) => attempt)

const writeStarted = async (taskId: TaskId, node: string): Promise<void> => {
  const event = { type: 'TaskStarted', taskId, version: 2, eventId: 'ghost', at: cluster.clock.now(), node, attempt: 1 } as const
  await cluster.storage.events.append(taskId, 1, [event])
}

const ghost = { nodeId: 'ghost', name: 'ghost', startedAt: 0, renewedAt: 0, queues: {}, running: 0, delivered: {} }

describe('a message of a serial queue whose task is in progress', () => {
  it.each([true, false])('on another live node is held until the run ends, and then accepted (redelivered: %s)', async (redelivered) => {
    const [first, second] = [await nodeWith(), await nodeWith()]
    const handle = await startedOn(first)
    const handed = await second.handOver(handle, redelivered)
    await cluster.advance(20_000)
    expect(handed).toEqual({ settled: undefined, ended: false })
    cluster.runs[0]?.return()
    await handle.finished()
    await rest()
    expect(handed).toEqual({ settled: 'accepted', ended: true })
    expect(attempts()).toEqual([1])
  })

  it('on the same node is held as well', async () => {
    const node = await nodeWith()
    const handle = await startedOn(node)
    const handed = [await node.handOver(handle, true), await node.handOver(handle)]
    await cluster.advance(20_000)
    expect(handed.map(({ settled }) => settled)).toEqual([undefined, undefined])
    cluster.runs[0]?.return()
    await handle.finished()
    await rest()
    expect(handed.map(({ settled }) => settled)).toEqual(['accepted', 'accepted'])
    expect(attempts()).toEqual([1])
  })

  it('on the same node by the history, but does not run there, is not held', async () => {
    const node = await nodeWith()
    const handle = await submittedTo(node)
    await writeStarted(handle.id, node.id)
    for (const redelivered of [true, false]) expect(await node.handOver(handle, redelivered)).toMatchObject({ settled: 'accepted' })
  })

  it('on a node that is not alive is accepted at once', async () => {
    const node = await nodeWith()
    const handle = await submittedTo(node)
    await writeStarted(handle.id, 'ghost')
    expect(await node.handOver(handle, true)).toMatchObject({ settled: 'accepted' })
    expect(attempts()).toEqual([])
  })

  it('on a node that dies is accepted soon after', async () => {
    const node = await nodeWith()
    await cluster.storage.nodes.renew(ghost, 8_000)
    const handle = await submittedTo(node)
    await writeStarted(handle.id, 'ghost')
    const handed = await node.handOver(handle, true)
    await cluster.advance(7_000)
    expect(handed.settled).toBe(undefined)
    await cluster.advance(6_000)
    expect(handed.settled).toBe('accepted')
  })

  it('stays held while the registry does not answer', async () => {
    const node = await nodeWith()
    node.faults.fail('before', calls('nodes.live'))
    const handle = await submittedTo(node)
    await writeStarted(handle.id, 'ghost')
    const handed = await node.handOver(handle, true)
    await cluster.advance(40_000)
    expect(handed.settled).toBe(undefined)
    node.faults.heal()
    await cluster.advance(40_000)
    expect(handed.settled).toBe('accepted')
  })

  it('runs on the second node if the first hands the attempt back', async () => {
    const [first, second] = [await nodeWith(), await nodeWith()]
    const handle = await startedOn(first)
    const handed = await second.handOver(handle, true)
    const closed = first.manager.close({ drainMs: 0 })
    await cluster.advance(1)
    await closed
    await rest()
    expect(attempts()).toEqual([1, 2])
    cluster.runs[1]?.return()
    await second.manager.task(handle.id).finished()
    await rest()
    expect(handed.settled).toBe('accepted')
  })

  it('is left unsettled to the engine if the worker that holds it closes', async () => {
    const [first, second] = [await nodeWith(), await nodeWith()]
    const handle = await startedOn(first)
    const handed = [await second.handOver(handle, true), await second.handOver(handle)]
    // No time passes: closing must not wait for held messages.
    await Promise.all([second.manager.worker?.close(), rest()])
    expect(handed).toEqual([
      { settled: undefined, ended: true },
      { settled: undefined, ended: true },
    ])
    expect(detailsOf(await handle.history())).toMatchObject({ status: 'inProgress', attempt: 1 })
  })

  describe('is not released by a node whose lease is in doubt', () => {
    const doubtful = async (node: ClusterNode): Promise<void> => {
      node.faults.fail('before', calls('nodes.renew'))
      await cluster.advance(10_000)
      expect(node.manager.health().lease.ok).toBe(false)
    }

    it('and runs it', async () => {
      const node = await nodeWith()
      const handle = await startedOn(node)
      await doubtful(node)
      const handed = await node.handOver(handle, true)
      await cluster.advance(2_000)
      expect(handed).toEqual({ settled: undefined, ended: false })
      node.faults.heal()
      await cluster.advance(20_000)
      expect(handed.settled).toBe(undefined)
      cluster.runs[0]?.return()
      await handle.finished()
      await rest()
      expect(handed).toEqual({ settled: 'released', ended: true })
      expect(attempts()).toEqual([1])
    })

    it('while another node runs it', async () => {
      const [runner, node] = [await nodeWith(), await nodeWith()]
      const handle = await startedOn(runner)
      await doubtful(node)
      const handed = await node.handOver(handle, true)
      await cluster.advance(20_000)
      expect(handed).toEqual({ settled: undefined, ended: false })
      cluster.runs[0]?.return()
      await handle.finished()
      await rest()
      expect(handed).toEqual({ settled: 'released', ended: true })
    })

    it('unless it was not redelivered, or its task does not run', async () => {
      const node = await nodeWith()
      const handle = await submittedTo(node)
      await doubtful(node)
      for (const redelivered of [true, false])
        expect(await node.handOver(handle, redelivered)).toEqual({ settled: 'released', ended: true })
      expect(attempts()).toEqual([])
    })
  })

  it('is accepted at once if the queue is parallel', async () => {
    const [first, second] = [await nodeWith('parallel'), await nodeWith('parallel')]
    const handle = await startedOn(first)
    expect(await second.handOver(handle, true)).toEqual({ settled: 'accepted', ended: true })
  })
})

it('a node is registered with its queues before it takes a message, because other nodes look it up', async () => {
  const { id } = await nodeWith()
  expect(liveAtFirst).toMatchObject([{ nodeId: id, queues: { one: 1 } }])
})
