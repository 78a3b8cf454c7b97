import { evolveDetails } from '@taskledger/core/ports'
import type { TaskCreated, TaskId } from '@taskledger/core/ports'
import { describe, expect, it } from 'vitest'
import type { StagedNode } from '../stage.ts'
import { Stage } from '../stage.ts'

const minutes = 30

interface Cost {
  /** Calls that leave the process, by name, in a minute. */
  readonly calls: Readonly<Record<string, number>>
  readonly total: number
  /** Rows read in a minute. */
  readonly rows: number
}

const idTail = (index: number): string => index.toString(16).padStart(12, '0')

/** Puts so many tasks there as if they had been submitted. A cohort is 32 of them. */
const putWaiting = async (stage: Stage, count: number, dueAt?: number): Promise<void> => {
  const { events, listing } = stage.storage
  const { queue } = stage.memory.messaging()
  for (let index = 0; index < count; index++) {
    const taskId = `018cc251-f400-7000-8000-${idTail(Math.floor(index / 32) * 65_536 + (index % 32))}` as TaskId
    const created: TaskCreated = {
      type: 'TaskCreated',
      taskId,
      version: 1,
      eventId: `e${index}`,
      at: stage.clock.now(),
      node: 'a',
      task: { type: 'held', version: 1, payload: null },
      queue: 'default',
      retry: { maxAttempts: 1, maxCrashes: 3, backoff: { initialMs: 1_000, factor: 2, maxMs: 60_000, jitter: 0 } },
      labels: [],
      ...(dueAt === undefined ? {} : { notBefore: dueAt }),
    }
    const details = evolveDetails(undefined, created)
    if (details === undefined) throw new Error('there are no details')
    await events.append(taskId, 0, [created])
    await listing.save(details)
    if (dueAt === undefined) await queue.send('default', { taskId, version: 1, sentAt: stage.clock.now() })
  }
}

const costOf = async (stage: Stage, node: StagedNode): Promise<Cost> => {
  await stage.advance(120_000)
  const before = node.calls.length
  await stage.advance(minutes * 60_000)
  const calls: Record<string, number> = {}
  for (const call of node.calls.slice(before)) calls[call] = (calls[call] ?? 0) + 1 / minutes
  const { 'storage.listing.unfinished row': rows = 0, ...others } = calls
  return { calls: others, total: Object.values(others).reduce((sum, each) => sum + each, 0), rows }
}

const costWith = async (count: number, prepare: (stage: Stage, count: number) => Promise<void>): Promise<Cost> => {
  await using stage = new Stage()
  const node = await stage.node({ worker: { slots: 1 }, random: () => 0.5 })
  // The one slot is taken: what waits, waits.
  await stage.start(node)
  await prepare(stage, count)
  const cost = await costOf(stage, node)
  if (process.env['SHOW_COST'] !== undefined) console.log(count, cost)
  return cost
}

const counts = process.env['SHOW_COST'] === undefined ? [1_000, 10_000] : [1_000, 100_000]

describe('what a node does that has nothing to do', { timeout: 120_000 }, () => {
  it('costs the same number of calls with a backlog of any length, and hardly reads it', async () => {
    const nothing = await costWith(0, putWaiting)
    expect(nothing.total).toBeLessThan(120)
    for (const count of counts) {
      const cost = await costWith(count, putWaiting)
      expect(cost.total).toBeCloseTo(nothing.total, 0)
      // All of it in a full sweep, once in five minutes.
      expect(cost.rows).toBeLessThan(count / 4)
    }
  })

  it('costs the same number of calls with tasks that are due tomorrow', async () => {
    const nothing = await costWith(0, putWaiting)
    for (const count of counts) {
      const cost = await costWith(count, (stage) => putWaiting(stage, count, stage.clock.now() + 86_400_000))
      expect(cost.total).toBeCloseTo(nothing.total, 0)
      expect(cost.rows).toBeLessThan(count / 4)
    }
  })
})
