import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { silentLogger } from '@taskledger/core'
import type { TaskCreated, TaskDetails, TaskId, WorkMessage } from '@taskledger/core/ports'
import { detailsOf } from '@taskledger/core/ports'
import { virtualClock } from '@taskledger/core/testing'
import { describe, expect, it } from 'vitest'
import { Outbox } from '../../../src/application/commands/outbox.ts'
import { Publisher } from '../../../src/application/commands/publisher.ts'
import { Sender } from '../../../src/application/commands/sender.ts'
import type { NodeContext } from '../../../src/application/node/context.ts'
import { ClusterClocks } from '../../../src/application/node/cluster-clocks.ts'
import { Deadlines } from '../../../src/application/node/deadlines.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const taskId = '018f0000-0000-7000-8000-000000000001' as TaskId
const minute = 60_000

const created = (): TaskCreated => ({
  type: 'TaskCreated',
  taskId,
  version: 1,
  eventId: 'e',
  at: 1,
  node: 'n',
  task: { type: 't', version: 1, payload: { text: 'small enough for a message' } },
  queue: 'default',
  retry: { maxAttempts: 1, maxCrashes: 1, backoff: { initialMs: 1, factor: 1, maxMs: 1, jitter: 0 } },
  labels: ['a label'],
})

/** What a submit knows of its task. */
interface Submitted {
  readonly created: TaskCreated
  readonly details: TaskDetails
}

const submitted = (dueAt?: number): Submitted => {
  const first = created()
  return { created: first, details: { ...(detailsOf([first]) as TaskDetails), ...(dueAt === undefined ? {} : { dueAt }) } }
}

/** A node whose messages and rows fail while `isDown`, and what arrived. */
class Stage {
  readonly clock = virtualClock()
  readonly messages: WorkMessage[] = []
  readonly rows: TaskDetails[] = []
  isDown = false
  #reads = 0
  readonly #closing = new AbortController()

  readonly #node = {
    nodeId: 'n',
    clock: this.clock,
    clocks: new ClusterClocks({ clock: this.clock, nodeId: 'n' }),
    deadlines: new Deadlines(this.clock, minute),
    logger: silentLogger,
    random: () => 0.5,
    closed: this.#closing.signal,
    messaging: {
      queue: {
        send: async (_queue: string, message: WorkMessage) => {
          this.#answer()
          this.messages.push(message)
        },
      },
    },
    storage: {
      listing: {
        save: async (row: TaskDetails) => {
          this.#answer()
          this.rows.push(row)
        },
      },
      events: {
        read: async () => {
          this.#reads++
          return [created()]
        },
      },
    },
  } as unknown as NodeContext

  readonly outbox = new Outbox(this.#node)
  readonly sender = new Sender({ node: this.#node, outbox: this.outbox, listener: { messageSent: () => {} } as never })
  readonly publisher = new Publisher({ node: this.#node, outbox: this.outbox, listener: { rowSaved: () => {} } as never })

  /** How many histories were read. */
  get reads(): number {
    return this.#reads
  }

  close(): void {
    this.#closing.abort(new Error('the node is closed'))
  }

  /** Hands a submitted task over. Returns references that do not keep it. */
  async give(dueAt: number | undefined, use: (task: Submitted) => Promise<void>): Promise<readonly WeakRef<object>[]> {
    const task = submitted(dueAt)
    await use(task)
    return [new WeakRef(task.created), new WeakRef(task.details)]
  }

  #answer(): void {
    if (this.isDown) throw new Error('the engine is away')
  }
}

/** How many of the objects something still holds. */
const heldOf = async (references: readonly WeakRef<object>[]): Promise<number> => {
  // A reference holds its object until the end of the turn that made it.
  await nextTurn()
  collectGarbage()
  return references.filter((reference) => reference.deref() !== undefined).length
}

describe('what a node holds of a task that waits', () => {
  it('is neither payload nor details until the task is due; its message then carries no payload', async () => {
    const stage = new Stage()
    const references = await stage.give(stage.clock.now() + minute, (task) => stage.sender.send(task.details, { created: task.created }))
    expect(await heldOf(references)).toBe(0)
    await stage.clock.advance(minute)
    expect(stage.messages).toEqual([{ taskId, version: 1, createdAt: expect.any(Number), sentAt: stage.clock.now(), sentBy: 'n' }])
  })

  it('is neither payload nor details while a message is retried; the first message carried the payload', async () => {
    const stage = new Stage()
    await stage.sender.send(submitted().details, { created: created() })
    expect(stage.messages.pop()?.created).toEqual(created())
    stage.isDown = true
    const references = await stage.give(undefined, (task) => stage.sender.send(task.details, { created: task.created }))
    await stage.clock.advance(minute)
    expect(await heldOf(references)).toBe(0)
    stage.isDown = false
    await stage.clock.advance(minute)
    expect(stage.messages).toEqual([{ taskId, version: 1, createdAt: expect.any(Number), sentAt: expect.any(Number), sentBy: 'n' }])
  })

  it('is not the row while the row is retried: a retry reads the history', async () => {
    const stage = new Stage()
    stage.isDown = true
    const references = await stage.give(undefined, (task) => stage.publisher.saveRow(task.details))
    await stage.clock.advance(minute)
    expect(await heldOf(references)).toBe(0)
    stage.isDown = false
    await stage.clock.advance(minute)
    expect(stage.rows).toEqual([submitted().details])
    expect(stage.reads).toBeGreaterThan(0)
  })
})

describe('retries after an outage', () => {
  it('make 16 calls at a time, and all of them succeed when the engine is back', async () => {
    const stage = new Stage()
    stage.isDown = true
    await Promise.all(Array.from({ length: 1_000 }, () => stage.sender.send(submitted().details)))
    expect(stage.clock.pendingTimers).toBeLessThan(30)
    stage.isDown = false
    await stage.clock.advance(minute)
    expect(stage.messages).toHaveLength(1_000)
  })

  it('end at once when the node closes, however many wait', async () => {
    const stage = new Stage()
    stage.isDown = true
    await Promise.all(Array.from({ length: 1_000 }, () => stage.sender.send(submitted().details)))
    stage.close()
    let isSettled = false
    void stage.outbox.settled().then(() => (isSettled = true))
    await stage.clock.advance(0)
    expect(isSettled).toBe(true)
    expect(stage.messages).toEqual([])
  })
})
