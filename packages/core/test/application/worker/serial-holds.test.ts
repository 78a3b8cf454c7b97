import type { ConsumeMode, TaskMessaging, TaskStorage, TaskHandle, TaskId, TaskManager } from '@taskledger/core'
import { createTaskManager, defineTask, silentLogger } from '@taskledger/core'
import type { Delivery, NodeInfo } from '@taskledger/core/ports'
import { detailsOf } from '@taskledger/core/ports'
import { virtualClock } from '@taskledger/core/testing'
import type { Memory } from '@taskledger/memory'
import { createMemory } from '@taskledger/memory'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

interface Handed {
  /** How it was settled, if it was. */
  readonly settled: string | undefined
  /** Whether the handler has ended. */
  readonly ended: boolean
}

/** A node whose deliveries the test hands over. */
interface Node {
  readonly manager: TaskManager
  handOver(handle: TaskHandle<unknown, unknown>, redelivered?: boolean): Promise<Handed>
}

let ends: (() => void)[] = []
let runs: string[] = []
const held = defineTask({
  type: 'held',
  queue: 'one',
  run: async ({ attempt, signal }) => {
    runs.push(`attempt ${attempt}`)
    await new Promise<void>((resolve, reject) => {
      ends.push(resolve)
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    })
  },
})

const clock = virtualClock()
let memory: Memory
let open: TaskManager[] = []
/** Who was alive when the last node began to take messages. */
let liveAtFirst: readonly NodeInfo[] = []

beforeEach(() => {
  memory = createMemory({ clock, logger: silentLogger })
  ends = []
  runs = []
  open = []
})

afterEach(async () => {
  const closing = Promise.all(open.map((manager) => manager.close({ drainMs: 0 })))
  await clock.advance(60_000)
  await closing
})

/** Storage of which the registry takes no renewal any more, once it is told so. */
const failingRenewals = (): TaskStorage & { isFailing: boolean } => {
  const storage = memory.storage()
  const nodes: TaskStorage['nodes'] = {
    capabilities: storage.nodes.capabilities,
    renew: async (...given) => {
      if (failing.isFailing) throw new Error('the registry takes no renewal')
      await storage.nodes.renew(...given)
    },
    leave: (...given) => storage.nodes.leave(...given),
    live: (...given) => storage.nodes.live(...given),
    close: () => storage.nodes.close(),
  }
  const failing = { isFailing: false, events: storage.events, listing: storage.listing, nodes, close: () => storage.close() }
  return failing
}

const nodeWith = async ({
  mode = 'serial',
  storage = memory.storage(),
}: { mode?: ConsumeMode; storage?: TaskStorage } = {}): Promise<Node> => {
  const messaging = memory.messaging()
  let handler: ((delivery: Delivery) => Promise<void>) | undefined
  const running = new Set<Promise<void>>()
  const queue: TaskMessaging['queue'] = {
    capabilities: messaging.queue.capabilities,
    send: async () => {},
    depth: async () => 0,
    consume: async (_queue, given) => {
      handler = given
      liveAtFirst = await memory.storage().nodes.live()
      return { resize: () => {}, close: async () => void (await Promise.all(running)) }
    },
    close: () => messaging.queue.close(),
  }
  const manager = await createTaskManager({
    tasks: [held],
    storage,
    messaging: { queue, bus: messaging.bus, close: () => messaging.close() },
    worker: { queues: { one: { slots: 1, mode } } },
    logger: silentLogger,
    clock,
  })
  open.push(manager)
  return {
    manager,
    async handOver({ id }, redelivered = false) {
      const history = await manager.history(id)
      const [created] = history
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
      const handled = handler?.(delivery).finally(() => (handed.ended = true)) ?? Promise.resolve()
      running.add(handled)
      await clock.advance(0)
      return handed
    },
  }
}

/** One turn of everything: what may happen without time passing has happened. */
const rest = (): Promise<void> => clock.advance(0)

const startedOn = async (node: Node): Promise<TaskHandle<unknown, unknown>> => {
  const handle = await node.manager.submit(held)
  await node.handOver(handle)
  await vi.waitUntil(() => runs.length === 1)
  return handle
}

const writeStarted = async (taskId: TaskId, node: string): Promise<void> => {
  const event = { type: 'TaskStarted', taskId, version: 2, eventId: 'ghost', at: clock.now(), node, attempt: 1 } as const
  await memory.storage().events.append(taskId, 1, [event])
}

const ghost = { nodeId: 'ghost', name: 'ghost', startedAt: 0, renewedAt: 0, queues: {}, running: 0, delivered: {} }

describe('a message of a serial queue whose task is in progress', () => {
  it.each([true, false])('on another live node is held until the run ends, and then accepted (redelivered: %s)', async (redelivered) => {
    const [first, second] = [await nodeWith(), await nodeWith()]
    const handle = await startedOn(first)
    const handed = await second.handOver(handle, redelivered)
    await clock.advance(20_000)
    expect(handed).toEqual({ settled: undefined, ended: false })
    ends[0]?.()
    await handle.finished()
    await rest()
    expect(handed).toEqual({ settled: 'accepted', ended: true })
    expect(runs).toEqual(['attempt 1'])
  })

  it('on this very node is held as well', async () => {
    const node = await nodeWith()
    const handle = await startedOn(node)
    const handed = [await node.handOver(handle, true), await node.handOver(handle)]
    await clock.advance(20_000)
    expect(handed.map(({ settled }) => settled)).toEqual([undefined, undefined])
    ends[0]?.()
    await handle.finished()
    await rest()
    expect(handed.map(({ settled }) => settled)).toEqual(['accepted', 'accepted'])
    expect(runs).toEqual(['attempt 1'])
  })

  it('by the history, on this node, and does not run here, is not held', async () => {
    const node = await nodeWith()
    const handle = await node.manager.submit(held)
    await writeStarted(handle.id, node.manager.nodeId)
    for (const redelivered of [true, false]) expect(await node.handOver(handle, redelivered)).toMatchObject({ settled: 'accepted' })
  })

  it('on a node that is not alive is accepted at once', async () => {
    const node = await nodeWith()
    const handle = await node.manager.submit(held)
    await writeStarted(handle.id, 'ghost')
    expect(await node.handOver(handle, true)).toMatchObject({ settled: 'accepted' })
    expect(runs).toEqual([])
  })

  it('on a node that is alive no longer is accepted soon after', async () => {
    const node = await nodeWith()
    await memory.storage().nodes.renew(ghost, 8_000)
    const handle = await node.manager.submit(held)
    await writeStarted(handle.id, 'ghost')
    const handed = await node.handOver(handle, true)
    await clock.advance(7_000)
    expect(handed.settled).toBe(undefined)
    await clock.advance(6_000)
    expect(handed.settled).toBe('accepted')
  })

  it('stays held while nobody can say who is alive', async () => {
    const storage = memory.storage()
    let isDown = true
    const nodes: TaskStorage['nodes'] = {
      capabilities: storage.nodes.capabilities,
      renew: (...given) => storage.nodes.renew(...given),
      leave: (...given) => storage.nodes.leave(...given),
      live: async (...given) => {
        if (isDown) throw new Error('the registry is down')
        return storage.nodes.live(...given)
      },
      close: () => storage.nodes.close(),
    }
    const node = await nodeWith({ storage: { events: storage.events, listing: storage.listing, nodes, close: () => storage.close() } })
    const handle = await node.manager.submit(held)
    await writeStarted(handle.id, 'ghost')
    const handed = await node.handOver(handle, true)
    await clock.advance(40_000)
    expect(handed.settled).toBe(undefined)
    isDown = false
    await clock.advance(40_000)
    expect(handed.settled).toBe('accepted')
  })

  it('is run here where the other node hands the attempt back', async () => {
    const [first, second] = [await nodeWith(), await nodeWith()]
    const handle = await startedOn(first)
    const handed = await second.handOver(handle, true)
    const closed = first.manager.close({ drainMs: 0 })
    await clock.advance(1)
    await closed
    await vi.waitUntil(() => runs.length === 2)
    expect(runs).toEqual(['attempt 1', 'attempt 2'])
    ends[1]?.()
    await second.manager.task(handle.id).finished()
    await rest()
    expect(handed.settled).toBe('accepted')
  })

  it('is left to the engine, unsettled, where the worker that holds it closes', async () => {
    const [first, second] = [await nodeWith(), await nodeWith()]
    const handle = await startedOn(first)
    const handed = [await second.handOver(handle, true), await second.handOver(handle)]
    // No time passes: what is held must not be waited for.
    await Promise.all([second.manager.worker?.close(), rest()])
    expect(handed).toEqual([
      { settled: undefined, ended: true },
      { settled: undefined, ended: true },
    ])
    expect(detailsOf(await handle.history())).toMatchObject({ status: 'inProgress', attempt: 1 })
  })

  describe('is not given away by a node whose lease is in doubt', () => {
    const doubtful = async (storage: ReturnType<typeof failingRenewals>, node: Node): Promise<void> => {
      storage.isFailing = true
      await clock.advance(10_000)
      expect(node.manager.health().lease.ok).toBe(false)
    }

    it('and runs it', async () => {
      const storage = failingRenewals()
      const node = await nodeWith({ storage })
      const handle = await startedOn(node)
      await doubtful(storage, node)
      const handed = await node.handOver(handle, true)
      await clock.advance(2_000)
      expect(handed).toEqual({ settled: undefined, ended: false })
      storage.isFailing = false
      await clock.advance(20_000)
      expect(handed.settled).toBe(undefined)
      ends[0]?.()
      await handle.finished()
      await rest()
      expect(handed).toEqual({ settled: 'released', ended: true })
      expect(runs).toEqual(['attempt 1'])
    })

    it('while another runs it', async () => {
      const storage = failingRenewals()
      const [runner, node] = [await nodeWith(), await nodeWith({ storage })]
      const handle = await startedOn(runner)
      await doubtful(storage, node)
      const handed = await node.handOver(handle, true)
      await clock.advance(20_000)
      expect(handed).toEqual({ settled: undefined, ended: false })
      ends[0]?.()
      await handle.finished()
      await rest()
      expect(handed).toEqual({ settled: 'released', ended: true })
    })

    it('unless it did not come again, or its task does not run', async () => {
      const storage = failingRenewals()
      const node = await nodeWith({ storage })
      const handle = await node.manager.submit(held)
      await doubtful(storage, node)
      for (const redelivered of [true, false])
        expect(await node.handOver(handle, redelivered)).toEqual({ settled: 'released', ended: true })
      expect(runs).toEqual([])
    })
  })

  it('is accepted at once where the queue is a parallel one', async () => {
    const [first, second] = [await nodeWith({ mode: 'parallel' }), await nodeWith({ mode: 'parallel' })]
    const handle = await startedOn(first)
    expect(await second.handOver(handle, true)).toEqual({ settled: 'accepted', ended: true })
  })
})

it('a node is alive, with its queues, before it takes anything: whoever is handed what it runs asks for it', async () => {
  const { manager } = await nodeWith()
  expect(liveAtFirst).toMatchObject([{ nodeId: manager.nodeId, queues: { one: 1 } }])
})
